// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.io.File
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.assertThrows
import portrait.relight.Constants.Landmark.LANDMARKS

/**
 * Differences of networks with 8-bit weights: what passes through them is quantised, and rounded
 * otherwise here and there.
 */
private const val ROUNDED = 0.01f

/** The whole runtime on the shipped models, run by a native TensorFlow Lite, against Python. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PipelineTest {
    private val relighter = Relighter(Golden.Recorded(), NetworkStages(NativeModels()), threads = 2)
    private val portrait by lazy { relighter.look(Golden.example) }
    private val analysis get() = portrait.analyses.single()
    private val every = Golden.value("relight/every").toString().toInt()
    private val lights = Golden.value("relight/lights").jsonArray.map { it.toLight() }

    @AfterAll
    fun close() = relighter.close()

    @Test
    fun `the golden vectors are those of the shipped models`() {
        val manifest = NativeModel.manifest
        for ((name, sha256) in Golden.value("models").jsonObject) {
            assertEquals(sha256.jsonPrimitive.content, manifest.entry(name).sha256, "run python -m export.golden again")
        }
    }

    @Test
    fun `the face as the stages see it`() {
        val view = Golden.view
        assertGolden("view/photo", view.photo.map { it * 255 }.data, 2f, 0.2f)
        assertGolden("view/face", view.face.data, 0f)
        assertGolden("view/mesh_normals", view.mesh.normals.data, 0.05f, 1e-5f)
        assertGolden("view/mesh_depth", view.mesh.depth.data, 1f, 3e-4f)
        assertGolden("view/inner_face", view.innerFace.data, 1e-5f)
        assertGolden("view/skin", view.skin.data, 1f, 1e-3f)
        assertGolden("view/person", view.person.data, 1f, 1e-3f)
    }

    @Test
    fun `normals and the trust in them`() {
        assertGolden("normals/normals", analysis.cropNormals.data, 8 * ROUNDED, 0.3f * ROUNDED)
        assertGolden("normals/confidence", analysis.cropConfidence.data, 4 * ROUNDED, 0.3f * ROUNDED)
    }

    @Test
    fun `the light that was there`() {
        val expected = Golden.raster("lighting/environment").data
        val (most, mean) = 4 * ROUNDED * expected.max() to 2 * ROUNDED * expected.average().toFloat()
        assertGolden("lighting/environment", analysis.cropEnvironment.data.data, most, mean)
        val irradiance = Golden.value("view/mean_irradiance").jsonPrimitive.double
        assertEquals(irradiance, analysis.meanIrradiance, 0.01 * irradiance)
    }

    @Test
    fun `the light is placed alike`() {
        val expected = Golden.value("relight/placed").toLight()
        val found = relighter.place(analysis)
        assertEquals(0.0, degrees(angleBetween(expected.direction, found.direction)), 1.0)
        assertEquals(expected.intensity, found.intensity, 0.02)
        assertSetup(Golden.value("relight/setup"), portrait.suggest(), 0.01, "automatic")
    }

    @Test
    fun `the relit photo is Python's`() {
        val result = relighter.relight(Golden.example)
        val found = psnr(Golden.relit.numbers(), result.image.numbers())
        println("relit example: %.1f dB against Python".format(found))
        assertTrue(found >= 45) { "$found dB" }
        val changed = psnr(Golden.example.numbers(), result.image.numbers())
        assertTrue(changed < found - 15) { "the light that was placed hardly shows: $changed dB" }
        val expected = Golden.value("relight/report").jsonObject.getValue("faces").jsonArray[0]
        val report = result.report().single()
        assertEquals(expected.number("yaw_deg"), report.head.yawDeg, 0.1)
        assertEquals(expected.number("key_to_fill_before"), report.keyToFillBefore, 0.02)
        assertEquals(expected.number("key_to_fill_after"), report.keyToFillAfter, 0.03)
    }

    @Test
    fun `several lights, coloured, at another strength`() {
        val strength = Golden.value("relight/strength").jsonPrimitive.double
        val result = portrait.render(lights, strength)
        val found = psnr(Golden.floats("relight/own_lights"), result.image.every(every).data)
        assertTrue(found >= 45) { "$found dB" }
    }

    @Test
    fun `several faces share one light`() {
        val photo = Golden.example
        val small = shrink(photo, 2)
        val pair = Photo(photo.height, photo.width + small.width, ByteArray(photo.height * (photo.width + small.width) * 3) {
            val (row, column) = it / 3 / (photo.width + small.width) to it / 3 % (photo.width + small.width)
            if (column < photo.width) {
                photo.rgb[(row * photo.width + column) * 3 + it % 3]
            } else {
                small.rgb[(row % small.height * small.width + column - photo.width) * 3 + it % 3]
            }
        })
        val second = FloatArray(LANDMARKS * 3) { Golden.landmarks[it] / 2 + if (it % 3 == 0) photo.width else 0 }
        val group = Relighter(Golden.Recorded(listOf(second, Golden.landmarks)), NetworkStages(NativeModels()))
        val result = group.use { it.relight(pair) }
        assertEquals(2, result.faces.size)
        assertTrue(result.faces[0].size > result.faces[1].size)
        assertSetup(Golden.value("group/setup"), result.setup, 0.01, "group")
        assertEquals(result.setup.shares, result.report().map { it.share })
        val found = psnr(Golden.floats("group/relit"), result.image.every(every).data)
        assertTrue(found >= 45) { "$found dB" }
    }

    @Test
    fun `a preview is the same at preview size`() {
        val side = Golden.value("preview/side").jsonPrimitive.int
        val relit = portrait.render(lights.take(1), side = side)
        val found = psnr(Golden.floats("preview/relit"), relit.image.numbers())
        assertTrue(found >= 42) { "$found dB" }
        assertArrayEquals(portrait.at(side).rgb, portrait.render(lights, 0.0, side).image.rgb)
        assertSame(Golden.example, relit.photo)
    }

    @Test
    fun `maps on the photo`() {
        assertEquals(Golden.example.height, analysis.mask.rows)
        assertTrue(analysis.mask.data.all { it in 0f..1f })
        val known = analysis.normals.data.toList().chunked(3).filter { !it[0].isNaN() }
        assertTrue(known.size > 10_000)
        assertTrue(known.all { (x, y, z) -> x * x + y * y + z * z in 0.99f..1.01f })
        val gain = relighter.keyGain(analysis, lights[0])
        assertEquals(Golden.example.width, gain.columns)
        assertTrue(gain.data.all { it >= 0 } && gain.data.any { it > 0.1f })
    }

    @Test
    fun `a photo without a face is told so`() {
        val nobody = Relighter(Golden.Recorded(emptyList()), NetworkStages(NativeModels()))
        assertEquals("No face found in this photo.", assertThrows<NoFaceError> { nobody.relight(Golden.example) }.message)
        assertThrows<NoFaceError> { nobody.look(Golden.example) }
    }

    @Test
    fun `what cannot be meant is refused`() {
        assertThrows<IllegalArgumentException> { relighter.relight(Golden.example, strength = -1.0) }
        assertThrows<IllegalArgumentException> { relighter.relight(Golden.example, strength = Double.NaN) }
        assertThrows<IllegalArgumentException> { portrait.render(lights, side = 0) }
        for (fill in listOf(0.0, 1.1, Double.NaN)) assertThrows<IllegalArgumentException> { Setup(lights, fill) }
    }

    @Test
    fun `a damaged or missing model is told so`() {
        val entry = NativeModel.manifest.entry("normals")
        val content = File(NativeModel.folder, entry.file).readBytes()
        entry.check(content)
        content[100] = (content[100] + 1).toByte()
        assertThrows<ModelError> { entry.check(content) }
        assertThrows<ModelError> { NativeModel.manifest.entry("hat") }
        assertThrows<ModelError> { Manifest.parse("{}") }
        assertThrows<ModelError> { Manifest.parse("no JSON") }
    }
}
