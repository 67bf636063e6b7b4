// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.assertThrows

/** A stage that takes its time and counts how often it was asked. */
private class SlowStages(private val inner: Stages) : Stages by inner {
    var asked = 0

    override fun gain(view: View, normals: Raster, environment: Environment, light: Light): Raster {
        asked++
        Thread.sleep(100)
        return inner.gain(view, normals, environment, light)
    }
}

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CoroutineTest {
    private val stages = SlowStages(NetworkStages(NativeModels()))
    private val relighter = Relighter(Golden.Recorded(), stages)

    @AfterAll
    fun close() = relighter.close()

    @Test
    fun `waiting gives what calling gives`() = runBlocking {
        val portrait = relighter.awaitLook(Golden.example)
        val setup = portrait.awaitSuggest("loop")
        assertEquals(portrait.suggest("loop"), setup)
        assertArrayEquals(portrait.render(setup, side = 200).image.rgb, portrait.awaitRender(setup, side = 200).image.rgb)
    }

    @Test
    fun `setups that come too fast are passed over but the last is shown`() = runBlocking {
        val portrait = relighter.look(Golden.example)
        val wanted = List(20) { Setup(listOf(Light(10.0 + it, 20.0))) }
        val before = stages.asked
        val shown = portrait.previews(wanted.asFlow(), 160).toList()
        assertTrue(shown.size < wanted.size / 2) { "${shown.size} previews" }
        assertEquals(wanted.last(), shown.last().setup)
        assertEquals(160, maxOf(shown.last().image.height, shown.last().image.width))
        assertEquals(shown.size, stages.asked - before)
    }

    @Test
    fun `errors reach who waits`() {
        val nobody = Relighter(Golden.Recorded(emptyList()), stages)
        assertThrows<NoFaceError> { runBlocking { nobody.awaitLook(Golden.example) } }
    }
}
