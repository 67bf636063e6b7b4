// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.int
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class PlacementTest {
    private val cases = Golden.value("light/place").jsonArray
    private val poses = Golden.value("environment/head_poses").jsonArray.map { it.toMatrix() }

    private fun placed(case: JsonElement): Light = place(
        environment(case),
        poses[case.int("head_pose")],
        if ("mean_irradiance" in case.jsonObject) case.number("mean_irradiance") else null,
        if ("headroom" in case.jsonObject) case.number("headroom") else Double.POSITIVE_INFINITY,
        case.number("roll"),
    )

    private fun environment(case: JsonElement) = Environment(Golden.raster("environment/${case.text("environment")}"))

    @Test
    fun `light is placed with the same reason`() {
        for ((i, case) in cases.withIndex()) {
            val light = placed(case)
            assertLight(case.jsonObject.getValue("light"), light, 1e-4, "case $i")
            val after = keyToFillWith(environment(case), poses[case.int("head_pose")], listOf(light, light), 0.4)
            assertEquals(case.number("key_to_fill_with"), after, 1e-3 * after)
        }
    }

    @Test
    fun `a group shares one light`() {
        for ((i, case) in Golden.value("light/place_group").jsonArray.withIndex()) {
            val lights = case.jsonObject.getValue("cases").jsonArray.map { placed(cases[it.jsonPrimitive.int]) }
            val found = placeGroup(lights, case.jsonObject.getValue("weights").numbers(), case.number("roll"))
            assertLight(case.jsonObject.getValue("light"), found, 1e-4, "group $i")
        }
    }

    @Test
    fun `a light's azimuth is brought into range`() {
        assertEquals(-170.0, Light(190.0, 0.0).azimuthDeg)
        assertEquals(180.0, Light(-180.0, 0.0).azimuthDeg)
        assertEquals(0.0, angleBetween(Light(30.0, 20.0).direction, Light.fromDirection(Light(30.0, 20.0).direction).direction), 1e-9)
    }

    @Test
    fun `numbers out of range are refused`() {
        assertThrows<IllegalArgumentException> { Light(0.0, 91.0) }
        assertThrows<IllegalArgumentException> { Light(Double.NaN, 0.0) }
        assertThrows<IllegalArgumentException> { Light(0.0, 0.0, -1.0) }
        assertThrows<IllegalArgumentException> { Light(0.0, 0.0, color = listOf(1.0, 1.0)) }
        assertThrows<IllegalArgumentException> { Light(0.0, 0.0, softnessDeg = 46.0) }
    }

    @Test
    fun `lights are equal whatever their reason`() {
        assertEquals(Light(10.0, 20.0), Light(10.0, 20.0, reason = "because"))
        assertNotEquals(Light(10.0, 20.0), Light(10.0, 21.0))
    }
}
