// SPDX-License-Identifier: Apache-2.0
package portrait.relight.tflite

import java.io.ByteArrayInputStream
import java.io.FileNotFoundException
import java.util.concurrent.RejectedExecutionException
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import portrait.relight.Constants.View.FINE
import portrait.relight.Constants.View.SIDE
import portrait.relight.Environment
import portrait.relight.Light
import portrait.relight.MANIFEST
import portrait.relight.Manifest
import portrait.relight.ModelError
import portrait.relight.Raster
import portrait.relight.Surface
import portrait.relight.View

class TfliteStagesTest {
    private fun shipped(file: String) =
        checkNotNull(javaClass.getResourceAsStream("/assets/$FOLDER/$file")) { "no $file in the library" }

    @Test
    fun `the library carries the models that its manifest lists`() {
        val manifest = Manifest.parse(shipped(MANIFEST).readBytes().decodeToString())
        assertEquals(setOf("normals", "lighting", "quotient"), manifest.models.keys)
        for (entry in manifest.models.values) entry.check(shipped(entry.file).readBytes())
    }

    @Test
    fun `who runs which model is said of models that exist`() {
        val manifest = Manifest.parse(shipped(MANIFEST).readBytes().decodeToString())
        for (name in DEFAULT_ACCELERATORS.keys) assertNotNull(manifest.models[name])
    }

    @Test
    fun `a damaged model is refused before it is run`() {
        val stages = TfliteStages { file ->
            val content = shipped(file).readBytes()
            if (file != MANIFEST) content[content.size / 2] = (content[content.size / 2] + 1).toByte()
            ByteArrayInputStream(content)
        }
        val error = assertThrows<ModelError> { stages.gain(view(), Raster(SIDE, SIDE, 3), light(), Light(0.0, 0.0)) }
        assertTrue("damaged" in error.message!!)
        stages.close()
    }

    @Test
    fun `a missing model is told by its name`() {
        val stages = TfliteStages { file -> throw FileNotFoundException(file) }
        val error = assertThrows<ModelError> { stages.normals(view()) }
        assertTrue(MANIFEST in error.message!!)
        stages.close()
    }

    @Test
    fun `all work is done on one thread and errors come back`() {
        val thread = ModelThread()
        val names = List(3) { thread.call { Thread.currentThread().name } }
        assertEquals(listOf(ModelThread.NAME), names.distinct())
        assertEquals("no", assertThrows<IllegalStateException> { thread.call { error("no") } }.message)
        thread.close()
        assertThrows<RejectedExecutionException> { thread.call { 1 } }
    }

    private fun light() = Environment.uniform(1f, 1f, 1f)

    private fun view(): View {
        fun plane(channels: Int, side: Int = SIDE) = Raster(side, side, channels)
        val mesh = Surface(plane(3), plane(1), plane(1))
        return View(plane(3, FINE * SIDE), plane(3), mesh, plane(1), plane(1), plane(1, FINE * SIDE))
    }
}
