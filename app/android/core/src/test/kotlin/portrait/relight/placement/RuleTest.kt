// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import portrait.relight.Constants.View.SIDE

class RuleTest {
    /** Of each column, in all rows and channels. */
    private val gain = Golden.floats("placement/given_gain").let { falling ->
        Raster(SIDE, SIDE, 3, FloatArray(SIDE * SIDE * 3) { falling[it / 3 % SIDE] })
    }

    private fun suggested(wanted: Wanted, faces: Int = 1, most: Int = faces): Setup =
        setUp(List(faces) { Golden.analysis }, wanted, most) { List(faces) { gain } }

    @Test
    fun `setups are Python's, whatever runs the networks`() {
        val choices = mapOf("automatic" to Wanted.Automatic, "like" to Wanted.Like(likenessOf(Golden.analysis))) +
            Recipe.PATTERNS.associate { it.name to Wanted.Named(it) }
        for ((name, wanted) in choices) {
            val (expected, found) = Golden.value("placement/given/$name") to suggested(wanted)
            assertSetup(expected, found, 5e-3, name)
            assertEquals(expected.text("reason"), found.reason, name)
        }
    }

    @Test
    fun `a reference's light is read`() {
        val (expected, found) = Golden.value("placement/likeness") to likenessOf(Golden.analysis)
        assertEquals(expected.number("azimuth_deg"), found.azimuthDeg, 0.1)
        assertEquals(expected.number("elevation_deg"), found.elevationDeg, 0.1)
        assertEquals(expected.number("ratio"), found.ratio, 2e-3)
        val skin = expected.jsonObject.getValue("skin").numbers()
        for (c in 0 until 3) assertEquals(skin[c], found.skin[c], 2e-3)
        for (part in found.tint(Golden.analysis)) assertEquals(1.0, part, 1e-6, "its own tint is white")
    }

    @Test
    fun `faces beyond the largest get no share`() {
        val setup = suggested(Wanted.Automatic, faces = 3, most = 2)
        assertEquals(listOf(1.0, 1.0, 0.0), setup.shares)
        assertTrue(setup.reason.endsWith(" 2 of 3 faces are lit."), setup.reason)
        val dark = setUp(listOf(Golden.analysis), Wanted.Automatic, 1) { listOf(gain.map { 0f }) }
        assertEquals(0.0, dark.lights.single().intensity)
        assertTrue(dark.reason.startsWith("No light added: none that looks natural"), dark.reason)
    }

    @Test
    fun `an unknown pattern is refused, with those there are`() {
        val message = assertThrows<IllegalArgumentException> { Recipe.named("disco") }.message.orEmpty()
        assertTrue("disco" in message && "rembrandt, butterfly" in message, message)
    }

    @Test
    fun `what is done is told in Python's words`() {
        val words = Golden.value("placement/words").jsonObject
        fun all(name: String): List<JsonElement> = words.getValue(name).jsonArray
        fun texts(name: String) = all(name).map { it.jsonPrimitive.content }
        val lights = all("lights").map { it.toLight() }
        assertEquals(all("lights").map { it.text("standing") }, lights.map(::standing))
        assertEquals(all("lights").map { it.text("angles") }, lights.map(::anglesOf))
        val outcome = Outcome(0.8, 0.6, 0.5, 0.5, 1.0, 12.0)
        val lit = listOf(
            litWords(lights[0], 0.6, 1.2, outcome, 2.0, "gist"),
            litWords(lights[1], 1.0, 1.2, outcome.copy(brightness = 1.5), 3.0, "gist"),
            litWords(lights[2], 0.6, 1.2, outcome.copy(pressed = true), 3.0, "gist"),
        )
        assertEquals(texts("lit"), lit)
        val unlit = listOf(
            unlitWords(null, true, 4.2, lights[0]),
            unlitWords(null, true, 2.9, lights[0]),
            unlitWords(Recipe.BALANCE, false, 1.5, lights[0]),
            unlitWords(null, true, 1.5, lights[0], faces = 3),
        )
        assertEquals(texts("unlit"), unlit)
        assertEquals(texts("group"), listOf(groupWords(listOf(1.0, 1.0, 0.0)), groupWords(listOf(1.0, 0.4))))
    }
}
