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
        assertCrop(Golden.value("geometry/around").toCrop(), Crop.around(Golden.landmarks))
    }

    @Test
    fun `crops inside, past the border, shrunk and grown`() {
        for ((i, case) in Golden.value("geometry/extract").jsonArray.withIndex()) {
            val resolution = case.jsonObject.getValue("resolution").takeIf { it != JsonNull }
                ?.let { case.int("resolution") }
            val found = case.toCrop().extract(Golden.example, resolution)
            // OpenCV counts in 1/32 pixels and rounds its weights.
            assertGolden("geometry/extract/$i", found.numbers(), 4f, 0.35f)
            val (rows, columns) = Golden.value("geometry/visible").jsonArray[i].jsonArray.map { it.numbers() }
            val (height, width) = Golden.value("geometry/visible/shape").numbers().map { it.toInt() }
            val seen = case.toCrop().visible(height, width)
            assertEquals(rows + columns, listOf(seen.top, seen.bottom, seen.left, seen.right).map { it.toDouble() })
        }
    }

    @Test
    fun `points move from the photo to a crop and back`() {
        val crop = Golden.value("geometry/extract").jsonArray[3].toCrop()
        val points = Golden.floats("geometry/to_crop/points").toList().chunked(2)
        val found = points.map { (x, y) -> crop.toCrop(x, y, 64) }
        assertGolden("geometry/to_crop", found.flatMap { listOf(it.first, it.second) }.toFloatArray(), 1e-3f)
        for ((place, point) in found.zip(points)) {
            val back = crop.toPhoto(place.first / 64.0, place.second / 64.0)
            assertEquals(point[0].toDouble(), back.x, 1e-3)
            assertEquals(point[1].toDouble(), back.y, 1e-3)
        }
    }

    @Test
    fun `vectors are turned about the camera's axis`() {
        val found = Golden.floats("geometry/direction").vectors().map { rolled(it, 0.7) }
        val flat = found.flatMap { listOf(it.x.toFloat(), it.y.toFloat(), it.z.toFloat()) }
        assertGolden("geometry/rolled", flat.toFloatArray(), 1e-6f)
        val up = rolled(Vector(0.0, 1.0, 0.0), radians(90.0))
        assertEquals(1.0, up.x, 1e-12)
    }

    @Test
    fun `a crop outside the photo is refused`() {
        assertThrows<IllegalArgumentException> { Crop(610.0, 10.0, 20.0).extract(Golden.example, 10) }
    }

    @Test
    fun `values move from a crop to the photo's cells`() {
        val values = Golden.raster("geometry/values")
        for ((i, case) in Golden.value("geometry/onto_grid").jsonArray.withIndex()) {
            val cells = case.jsonObject.getValue("grid")
            val outside = case.jsonObject.getValue("outside").takeIf { it != JsonNull }
                ?.let { case.number("outside").toFloat() }
            val grid = Grid(
                cells.int("left"), cells.int("top"), cells.int("step"), cells.int("rows"), cells.int("columns"),
            )
            val found = case.jsonObject.getValue("crop").toCrop().ontoGrid(values, grid, outside)
            // OpenCV counts in 1/32 cells, which at the border is much of a step to what lies outside.
            val most = if (outside == null) 6e-3f else 1.6e-2f
            assertGolden("geometry/onto_grid/$i", found.data, most, 2e-3f)
        }
    }

    @Test
    fun `blocks are averaged`() {
        val part = Crop(25.0, 25.0, 50.0).extract(Golden.example).let { square ->
            Photo(50, 47, ByteArray(50 * 47 * 3) { square.rgb[it / 141 * 150 + it % 141] })
        }
        for (factor in listOf(2, 3)) {
            assertGolden("geometry/shrink/$factor", shrink(part, factor).numbers(), 1f, 0.05f)
            val values = shrink(Golden.raster("geometry/values"), factor)
            assertGolden("geometry/shrink_float/$factor", values.data, 1e-6f)
        }
        val resized = resizeArea(Golden.example, 41, 37)
        assertGolden("geometry/resize_area", resized.numbers(), 1f, 0.05f)
    }
}
