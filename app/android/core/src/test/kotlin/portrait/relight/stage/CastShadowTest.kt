// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.jsonArray
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class CastShadowTest {
    private val mesh = Surface(
        Golden.raster("shadow/normals"),
        Golden.raster("shadow/depth"),
        Golden.raster("shadow/mask"),
    )

    @Test
    fun `a face throws shadows on itself`() {
        Golden.value("shadow/lights").jsonArray.map { it.toLight() }.forEachIndexed { i, light ->
            val found = unshadowed(mesh, light.direction, radians(light.softnessDeg).toFloat())
            assertGolden("shadow/unshadowed/$i", found.data, 5e-3f, 1e-4f)
        }
    }

    @Test
    fun `nothing is in shadow beside the mesh or under a light at the camera`() {
        val nothing = Surface(mesh.normals, mesh.depth, mesh.mask.map { 0f })
        val side = unshadowed(nothing, direction(1.0, 0.2), 0.1f)
        val ahead = unshadowed(mesh, direction(0.0, 0.0), 0.1f)
        for (free in side.data + ahead.data) assertEquals(1f, free)
    }
}
