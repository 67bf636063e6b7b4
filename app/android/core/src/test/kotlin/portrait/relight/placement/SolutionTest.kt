// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class SolutionTest {
    private val skin = Skin(Golden.view)

    /** Of the key that is set up for the example, at unit intensity. */
    private val gain = Golden.raster("relight/added_gain").run {
        val key = Golden.value("relight/setup").jsonObject.getValue("lights").jsonArray[0].toLight()
        map { it / key.intensity.toFloat() }
    }

    @Test
    fun `dark pixels are trusted less`() {
        assertGolden("placement/trust", trustIn(Golden.view.photo).every(4).data, 0.2f, 1e-3f)
        assertTrue(trustIn(Raster(2, 2, 3)).data.all { it == Constants.Edge.IN_BLACK })
    }

    @Test
    fun `a face's pixels come out as they are wanted`() {
        for (case in Golden.value("placement/tried").jsonArray) {
            val (stops, share) = case.number("stops") to case.number("share")
            assertOutcome(case, Solver(skin, gain, stops).at(share), 2e-3, "$stops stops, $share")
        }
        for (case in Golden.value("placement/reached").jsonArray) {
            val found = Solver(skin, gain, case.number("stops")).until(0.1, 0.8) { it.uneven >= 2 }
            assertOutcome(case, found, 5e-3, "reached")
        }
        assertOutcome(Golden.value("placement/given_key"), Solver(skin, gain, 0.0).given(1.5, 0.85), 2e-3, "given")
    }

    @Test
    fun `a key that does not reach the face is told so`() {
        val dark = Solver(skin, gain.map { 0f }, 0.0)
        assertTrue(dark.blind)
        assertTrue(!Solver(skin, gain, 0.0).blind)
        assertEquals(0.0, dark.given(3.0, 1.0).change, 1e-3)
    }

    @Test
    fun `black stays black under any light`() {
        val black = skin.relit(FloatArray(skin.encoded.size) { 1f }, 2f, 0.5f)
        assertTrue(black.all { it in 0f..1f })
        val (before, after) = FloatArray(3) to FloatArray(3)
        shoulder(before, after)
        assertTrue(after.all { it == 0f })
    }

    private fun assertOutcome(expected: JsonElement, found: Outcome, tolerance: Double, name: String) {
        fun same(number: String, value: Double, scale: Double = 1.0) =
            assertEquals(expected.number(number), value, tolerance * scale, "$name: $number")
        same("intensity", found.intensity)
        same("fill", found.fill)
        same("share", found.share)
        same("ratio", found.ratio)
        same("brightness", found.brightness)
        same("change", found.change, 10.0)
        assertEquals(expected.jsonObject.getValue("pressed").jsonPrimitive.boolean, found.pressed, name)
    }
}
