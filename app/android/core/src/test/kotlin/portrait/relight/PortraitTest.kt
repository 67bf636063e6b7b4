// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.util.concurrent.ConcurrentLinkedQueue
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.assertThrows
import portrait.relight.Constants.Portrait.FITS
import portrait.relight.Constants.Portrait.GAINS

/** A photo looked at once and lit many times, against Python; and what costs a network and what does not. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PortraitTest {
    /** The shipped models, counting how often each runs. */
    private class Counted : Models() {
        val runs = HashMap<String, Int>()

        override fun open(name: String): Model {
            val model = NativeModel.open(name)
            return object : Model {
                override fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray> {
                    runs.merge(name, 1, Int::plus)
                    return model.run(inputs)
                }

                override fun close() = model.close()
            }
        }
    }

    private val models = Counted()
    private val relighter = Relighter(Golden.Recorded(), NetworkStages(models), threads = 2)
    private val portrait by lazy { relighter.look(Golden.example) }
    private val lights = Golden.value("relight/lights").jsonArray.map { it.toLight() }
    private val every = Golden.value("relight/every").jsonPrimitive.int
    private val side = Golden.value("preview/side").jsonPrimitive.int

    @AfterAll
    fun close() = relighter.close()

    @Test
    fun `a light's gain is Python's, on the photo and on a preview`() {
        for ((name, size) in listOf("portrait/gain" to null, "portrait/preview_gain" to side)) {
            val found = portrait.gain(lights[1], size)
            val expected = Golden.value(name)
            assertEquals(expected.int("left"), found.left)
            assertEquals(expected.int("factor"), found.factor)
            val scale = maxOf(1f, Golden.floats(name).max())
            assertGolden(name, found.gain.every(expected.int("every")).data, 0.1f * scale, 2e-3f * scale)
        }
    }

    @Test
    fun `less of the existing light is Python's`() {
        val setup = Setup(lights, Golden.value("portrait/fill").jsonPrimitive.double)
        for (name in listOf("filled", "partly_filled", "overdone")) {
            val result = portrait.render(setup, Golden.value("portrait/$name").jsonPrimitive.double)
            val found = psnr(Golden.floats("portrait/$name"), result.image.every(every).data)
            assertTrue(found >= 45) { "$name: $found dB" }
        }
        val preview = psnr(Golden.floats("portrait/filled_preview"), portrait.render(setup, side = side).image.numbers())
        assertTrue(preview >= 42) { "$preview dB" }
        val after = portrait.render(setup).report().single().keyToFillAfter
        assertEquals(Golden.value("portrait/key_to_fill_after").jsonPrimitive.double, after, 0.03)
    }

    @Test
    fun `intensity, colour, fill and strength run no network`() {
        portrait.render(lights)
        portrait.render(lights, side = side)
        val before = HashMap(models.runs)
        for (k in 1..5) {
            val changed = lights.map { it.copy(intensity = 0.3 * k, color = listOf(1.0, 0.1 * k, 0.5)) }
            portrait.render(Setup(changed, 1.0 / k), strength = 0.2 * k)
            portrait.render(Setup(changed, 1.0 / k), strength = 0.2 * k, side = side)
        }
        portrait.render(Setup(listOf(Light(-77.0, 11.0, intensity = 0.0)), 0.5))
        assertEquals(before, models.runs)
        portrait.render(lights.map { it.copy(softnessDeg = it.softnessDeg + 1) })
        assertEquals(before.getValue("key") + lights.size, models.runs["key"])
        assertEquals(before.filterKeys { it != "key" }, models.runs.filterKeys { it != "key" })
    }

    @Test
    fun `matte light has no highlights`() {
        val (shiny, matte) = listOf(1.0, 0.0).map { gloss ->
            portrait.render(lights.map { it.copy(gloss = gloss) }).image.numbers()
        }
        val (less, more) = matte.indices.count { matte[it] < shiny[it] } to matte.indices.count { matte[it] > shiny[it] }
        assertTrue(less > 20 * more) { "$less values are darker, $more brighter" }
    }

    @Test
    fun `lights that moved on are forgotten, and found again`() {
        val fresh = relighter.look(Golden.example)
        fun runs() = models.runs["key"] ?: 0
        val first = fresh.render(lights.take(1), side = side).image
        val start = runs()
        for (k in 1..FITS) fresh.render(listOf(Light(k.toDouble(), 0.0)), side = side)
        assertArrayEquals(first.rgb, fresh.render(lights.take(1), side = side).image.rgb)
        assertEquals(start + FITS, runs(), "its gain is known, if no longer fitted")
        for (k in 1..GAINS) fresh.render(listOf(Light(k.toDouble(), 10.0)), side = side)
        val later = runs()
        fresh.render(lights.take(1), side = side)
        assertEquals(later + 1, runs())
    }

    @Test
    fun `all of the light kept and strength 0 are the photo bit for bit`() {
        assertArrayEquals(Golden.example.rgb, portrait.render(emptyList()).image.rgb)
        assertArrayEquals(Golden.example.rgb, portrait.render(Setup(lights, 0.3), strength = 0.0).image.rgb)
        val (before, after) = Golden.example.numbers() to portrait.render(Setup(emptyList(), 0.3)).image.numbers()
        assertTrue(before.indices.all { after[it] <= before[it] })
        assertTrue(before.sum() > after.sum())
    }

    @Test
    fun `patterns and other portraits' light are set up by name and by portrait`() {
        for (recipe in Recipe.PATTERNS) {
            val setup = portrait.suggest(recipe.name)
            val report = portrait.render(setup, side = side).report().single()
            if (setup.lights.any { it.intensity > 0 } && recipe.ratio > 0 && recipe !== Recipe.BALANCE) {
                assertTrue(report.keyToFillAfter > report.keyToFillBefore, recipe.name)
            }
        }
        val own = portrait.suggest(like = portrait)
        assertTrue(own.reason.contains("as in the reference"), own.reason)
        assertThrows<IllegalArgumentException> { portrait.suggest("disco") }
        assertThrows<IllegalArgumentException> { portrait.suggest("loop", portrait) }
        assertThrows<IllegalArgumentException> { portrait.suggest(most = 0) }
    }

    @Test
    fun `a face without a share is left alone`() {
        val setup = Setup(lights, 0.4, shares = listOf(0.0))
        assertArrayEquals(Golden.example.rgb, portrait.render(setup).image.rgb)
        val (half, whole) = listOf(0.5, 1.0).map { share ->
            psnr(Golden.example.numbers(), portrait.render(setup.copy(shares = listOf(share))).image.numbers())
        }
        assertTrue(half > whole + 3) { "$half dB and $whole dB from the photo" }
    }

    @Test
    fun `threads share a relighter`() {
        val alone = portrait.render(portrait.suggest()).image
        val found = ConcurrentLinkedQueue<Photo>()
        val threads = List(3) {
            Thread { found += relighter.relight(Golden.example).image }.apply { start() }
        }
        threads.forEach { it.join() }
        assertEquals(threads.size, found.size)
        for (image in found) assertArrayEquals(alone.rgb, image.rgb)
    }

    @Test
    fun `a head that leans is lit as Python lights it`() {
        val recorded = Golden.Recorded(listOf(Golden.floats("leaning/landmarks")), "leaning")
        val leaning = Relighter(recorded, NetworkStages(models)).look(Golden.leaning)
        val analysis = leaning.analyses.single()
        assertCrop(Golden.value("leaning/crop").toCrop(), analysis.face.crop)
        assertGolden("leaning/photo", analysis.view.photo.map { it * 255 }.data, 3f, 0.3f)
        assertGolden("leaning/mesh_normals", analysis.view.mesh.normals.every(2).data, 0.05f, 2e-5f)
        val direction = Golden.floats("leaning/existing_direction").vectors().single()
        assertTrue(degrees(angleBetween(direction, analysis.existingDirection)) < 1)
        val suggested = leaning.suggest()
        assertSetup(Golden.value("leaning/suggested"), suggested, 0.01, "leaning")
        for ((name, setup) in listOf("relit" to suggested, "own_lights" to Setup(lights))) {
            val found = psnr(Golden.floats("leaning/$name"), leaning.render(setup).image.every(every).data)
            assertTrue(found >= 45) { "$name: $found dB" }
        }
        val report = leaning.render(suggested).report().single()
        assertEquals(Golden.value("leaning/report").number("roll_deg"), report.head.rollDeg, 0.1)
    }
}
