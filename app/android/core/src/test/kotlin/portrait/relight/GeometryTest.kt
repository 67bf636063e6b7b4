// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class GeometryTest {
    @Test
    fun `angles give directions and directions angles`() {
        val degrees = Golden.floats("geometry/angles_deg").toList().chunked(2)
        val vectors = degrees.map { (az, el) -> direction(radians(az.toDouble()), radians(el.toDouble())) }
        val flat = vectors.flatMap { listOf(it.x.toFloat(), it.y.toFloat(), it.z.toFloat()) }
        assertGolden("geometry/direction", flat.toFloatArray(), 1e-6f)
        val given = Golden.floats("geometry/direction").vectors()
        val between = given.zipWithNext { a, b -> angleBetween(a, b).toFloat() }
        assertGolden("geometry/angle_between", between.toFloatArray(), 1e-5f)
        val found = given.map { angles(it * 2.5) }.flatMap { listOf(it.first.toFloat(), it.second.toFloat()) }
        assertGolden("geometry/angles", found.toFloatArray(), 1e-5f)
    }

    @Test
    fun `the square around a face`() {
        assertEquals(Golden.value("geometry/around").toCrop(), Crop.around(Golden.landmarks))
    }

    @Test
    fun `crops inside, past the border, shrunk and grown`() {
        for ((i, case) in Golden.value("geometry/extract").jsonArray.withIndex()) {
            val resolution = case.jsonObject.getValue("resolution").takeIf { it != JsonNull }
                ?.let { case.int("resolution") }
            val found = case.toCrop().extract(Golden.example, resolution)
            // OpenCV counts in 1/32 pixels and rounds its weights.
            assertGolden("geometry/extract/$i", found.numbers(), 4f, 0.35f)
        }
    }

    @Test
    fun `a crop outside the photo is refused`() {
        assertThrows<IllegalArgumentException> { Crop(600, 0, 20).extract(Golden.example, 10) }
    }

    @Test
    fun `values move from a crop to the photo's cells`() {
        val values = Golden.raster("geometry/values")
        for ((i, case) in Golden.value("geometry/onto_grid").jsonArray.withIndex()) {
            val cells = case.jsonObject.getValue("grid")
            val grid = Grid(
                cells.int("left"), cells.int("top"), cells.int("step"), cells.int("rows"), cells.int("columns"),
            )
            val found = case.jsonObject.getValue("crop").toCrop().ontoGrid(values, grid)
            // OpenCV counts in 1/32 cells.
            assertGolden("geometry/onto_grid/$i", found.data, 6e-3f, 2e-3f)
        }
    }

    @Test
    fun `blocks are averaged`() {
        val part = Crop(0, 0, 50).extract(Golden.example).let { square ->
            Photo(50, 47, ByteArray(50 * 47 * 3) { square.rgb[it / 141 * 150 + it % 141] })
        }
        for (factor in listOf(2, 3)) {
            assertGolden("geometry/shrink/$factor", shrink(part, factor).numbers(), 1f, 0.05f)
            val values = shrink(Golden.raster("geometry/values"), factor)
            assertGolden("geometry/shrink_float/$factor", values.data, 1e-6f)
        }
        val resized = Photo.rounded(resizeArea(Golden.example, 41, 37))
        assertGolden("geometry/resize_area", resized.numbers(), 1f, 0.05f)
    }
}
