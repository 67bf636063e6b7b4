// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource

class EnvironmentTest {
    @ParameterizedTest
    @ValueSource(strings = ["uniform", "soft", "left", "right"])
    fun `what the light does`(name: String) {
        val environment = Environment(Golden.raster("environment/$name"))
        val vectors = Golden.floats("environment/normals").vectors()
        val irradiance = vectors.flatMap { environment.irradiance(it).toList() }.toFloatArray()
        assertGolden("environment/$name/irradiance", irradiance, 1e-4f)
        // OpenCV counts in 1/32 pixels, and the lamps are steep.
        val seen = vectors.flatMap { environment.sample(it).toList() }.toFloatArray()
        assertGolden("environment/$name/sample", seen, 2f, 0.02f)
        assertGolden("environment/$name/rolled", environment.roll(ROLL).data.data, 0.5f, 5e-3f)
        val expected = Golden.value("environment/$name").jsonObject
        val (x, y, z) = expected.getValue("dominant_direction").numbers()
        assertEquals(0.0, angleBetween(Vector(x, y, z), environment.dominantDirection()), 1e-4)
        assertEquals(expected.number("key_to_fill"), environment.keyToFill(), 1e-4)
        for ((c, power) in expected.getValue("power").numbers().withIndex()) {
            assertEquals(power, environment.power()[c], 1e-4 * power)
        }
        val poses = Golden.value("environment/head_poses").jsonArray.map { it.toMatrix() }
        for ((pose, cheeks) in poses.zip(expected.getValue("cheeks").jsonArray)) {
            val (left, right) = environment.cheekIrradiance(pose)
            assertEquals(cheeks.numbers()[0], left, 1e-4)
            assertEquals(cheeks.numbers()[1], right, 1e-4)
        }
    }

    @ParameterizedTest
    @ValueSource(strings = ["soft", "right"])
    fun `the three spheres`(name: String) {
        val size = Golden.shape("environment/$name/spheres")[1]
        val spheres = Environment(Golden.raster("environment/$name")).spheres(size)
        val found = spheres.diffuse.data + spheres.matteSilver.data + spheres.mirror.data
        assertGolden("environment/$name/spheres", found, 3f, 0.01f)
    }

    @Test
    fun `a map of another shape or with negative light is refused`() {
        assertThrows<IllegalArgumentException> { Environment(Raster(4, 4, 3)) }
        assertThrows<IllegalArgumentException> { Environment(Raster(1, 2, 3, FloatArray(6) { -1f })) }
    }

    private companion object {
        /** By which Python turned the lights, radians. */
        const val ROLL = 0.6
    }
}
