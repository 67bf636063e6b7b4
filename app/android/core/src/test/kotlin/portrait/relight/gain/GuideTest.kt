// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.jsonArray
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class GuideTest {
    private val place = Golden.value("guide/photo")
    private val photo: Photo = run {
        val (rows, columns) = place.int("rows") to place.int("columns")
        val part = Window(Golden.example, place.int("left"), place.int("top"), rows, columns)
        Photo.rounded(resizeArea(part, rows, columns))
    }
    private val outlines = Golden.value("guide/crops").jsonArray.mapIndexed { i, crop ->
        val (person, face, confidence) = listOf("person", "face", "confidence").map { Golden.raster("guide/$it/$i") }
        Outline(crop.toCrop(), person, face, confidence)
    }
    private val gains = outlines.indices.map { FaceGain(Golden.raster("guide/gain/$it")) }

    @Test
    fun `a gain follows the photo's edges`() {
        assertMap("guide/one", upsample(photo, outlines.take(1), gains.take(1)), 1e-4f)
    }

    @Test
    fun `two faces share a photo`() {
        assertMap("guide/two", upsample(photo, outlines, gains), 1e-4f)
    }

    @Test
    fun `light reaches a body beside a face without one`() {
        val crop = checkNotNull(bodyCrop(outlines[1].crop, photo))
        assertCrop(Golden.value("guide/wider").toCrop(), crop)
        val (person, confidence, gain) = listOf("person", "confidence", "gain").map { Golden.raster("guide/wider/$it") }
        val (first, second) = outlines
        val wide = Outline(second.crop, second.person, second.face, second.confidence, Layer(crop, person, confidence))
        val guide = Guide(photo, listOf(first, wide))
        assertMap("guide/body", guide.fit(listOf(gains[0], FaceGain(gains[1].head, gain))).seen(), 1e-4f)
        assertGolden("guide/body/person", guide.person.every(3).data, 2e-3f, 1e-4f)
        val shares = Golden.value("guide/body/shares").numbers()
        assertGolden("guide/body/taken", guide.taken(shares).every(3).data, 2e-3f, 1e-4f)
    }

    @Test
    fun `each person keeps their share of the light`() {
        val guide = Guide(photo, outlines)
        val whole = guide.person.data
        assertArrayEquals(whole, guide.taken(listOf(1.0, 1.0)).data)
        assertArrayEquals(FloatArray(whole.size) { whole[it] * 0.5f }, guide.taken(listOf(0.5, 0.5)).data)
        val (first, second) = guide.taken(listOf(0.8, 0.0)).data to guide.taken(listOf(0.0, 0.8)).data
        for (i in whole.indices) assertEquals(0.8f * whole[i], first[i] + second[i], 2e-3f)
        assertTrue(first.any { it > 0.7f } && second.any { it > 0.7f })
        assertThrows<IllegalArgumentException> { guide.taken(listOf(1.0)) }
    }

    @Test
    fun `the example's face`() {
        assertMap("relight/gain_map", upsample(Golden.example, listOf(Golden.analysis.outline), listOf(gain())), 1e-4f)
    }

    @Test
    fun `a large photo is worked on at reduced size`() {
        val times = Golden.value("guide/enlarged").toString().toInt()
        val small = Golden.example
        val large = Photo(small.height * times, small.width * times, ByteArray(small.rgb.size * times * times) {
            val (pixel, channel) = it / 3 to it % 3
            val (row, column) = pixel / (small.width * times) to pixel % (small.width * times)
            small.rgb[(row / times * small.width + column / times) * 3 + channel]
        })
        val outline = Golden.analysis.outline.scaled(times.toDouble())
        assertMap("guide/large", upsample(large, listOf(outline), listOf(gain())), 1e-4f)
    }

    @Test
    fun `as many gains as faces are needed`() {
        assertThrows<IllegalArgumentException> { Guide(photo, outlines).fit(gains.take(1)) }
        assertThrows<IllegalArgumentException> { Guide(photo, emptyList()) }
    }

    /** The placed light's gain on the example. */
    private fun gain(): FaceGain {
        val light = Golden.value("relight/placed").toLight().rolled(-Golden.face.crop.roll)
        val body = checkNotNull(Golden.analysis.body)
        val unit = body.gain(Golden.face.crop, Golden.raster("relight/head_gain"), light.direction)
        return FaceGain(added(unit.head, light), added(checkNotNull(unit.body), light))
    }

    private fun added(gain: Raster, light: Light) = Raster(gain.rows, gain.columns, 3, FloatArray(gain.data.size) {
        (gain.data[it] * light.intensity * light.color[it % 3]).toFloat()
    })

    private fun assertMap(name: String, found: GainMap, mean: Float) {
        val expected = Golden.value(name)
        assertEquals(expected.int("left"), found.left)
        assertEquals(expected.int("top"), found.top)
        assertEquals(expected.int("factor"), found.factor)
        assertEquals(expected.int("rows"), found.gain.rows)
        assertEquals(expected.int("columns"), found.gain.columns)
        val scale = maxOf(1f, Golden.floats(name).max())
        assertGolden(name, found.gain.every(expected.int("every")).data, 20 * mean * scale, mean * scale)
    }
}
