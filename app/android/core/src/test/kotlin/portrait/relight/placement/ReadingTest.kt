// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class ReadingTest {
    private val cases = Golden.value("placement/readings").jsonArray
    private val poses = Golden.value("environment/head_poses").jsonArray.map { it.toMatrix() }

    @Test
    fun `cheeks are found on the pixels`() {
        val found = cheeks(Golden.view)
        assertGolden("placement/cheeks/left", found.left.data, 0f)
        assertGolden("placement/cheeks/right", found.right.data, 0f)
        assertGolden("placement/bare", bare(Golden.view).data, 0f)
    }

    @Test
    fun `a face's light is read`() {
        assertReading(Golden.value("placement/reading"), readLight(Golden.analysis), 2e-3, "example")
        val (last, others) = cases.last() to cases.take(3)
        assertReading(last, together(others.map(::reading)), 1e-6, "together")
    }

    @Test
    fun `the key stands on the side that suits a face`() {
        for ((i, case) in cases.withIndex()) {
            val reading = reading(case)
            assertReading(case, reading, 1e-9, "case $i")
            assertEquals(case.int("side"), sideOf(reading), "case $i")
            val intent = automaticIntent(reading, poses[0])
            assertEquals(case.number("stops"), intent.stops(reading), 1e-9, "case $i")
            assertEquals(case.number("aim"), intent.aim(reading), 1e-9, "case $i")
            assertEquals(case.text("gist"), intent.gist, "case $i")
            assertLights(case.jsonObject.getValue("lights"), intent.lights, "case $i")
        }
    }

    @Test
    fun `patterns follow the head`() {
        for (case in Golden.value("placement/patterns").jsonArray) {
            val recipe = Recipe.named(case.text("name"))
            val found = patternLights(recipe, case.int("side"), poses[case.int("head_pose")])
            assertLights(case.jsonObject.getValue("lights"), found, recipe.name)
        }
    }

    private fun reading(case: JsonElement) = Reading(
        case.number("left"),
        case.number("right"),
        case.number("mean"),
        case.number("bright"),
        case.number("around"),
        case.number("yaw_deg"),
        case.number("pitch_deg"),
        case.number("size"),
    )

    private fun assertReading(expected: JsonElement, found: Reading, tolerance: Double, name: String) {
        fun same(number: String, value: Double, scale: Double = 1.0) =
            assertEquals(expected.number(number), value, tolerance * scale, "$name: $number")
        same("left", found.left)
        same("right", found.right)
        same("mean", found.mean)
        same("bright", found.bright)
        same("around", found.around)
        same("yaw_deg", found.yawDeg, 10.0)
        same("pitch_deg", found.pitchDeg, 10.0)
        same("size", found.size, 10.0)
        same("ratio", found.ratio)
        same("lean", found.lean)
        same("dimness", found.dimness)
    }
}
