// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.abs
import kotlin.math.hypot
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import portrait.relight.Constants.View.FINE
import portrait.relight.Constants.View.SIDE

/** From pixels to faces, on MediaPipe's models, against Python. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PerceptionTest {
    private val models = NativeModels()
    private val perception = NetworkPerception(models)
    private val upright = Golden.photo("perception/photo")
    private val darkness = Golden.value("perception/darkness").toString().toInt()
    private val photos = mapOf(
        "upright" to upright,
        "leaning" to Golden.leaning,
        "upside down" to upright.changed { rgb, i -> rgb[rgb.size / 3 * 3 - 3 - i / 3 * 3 + i % 3] },
        "dark" to upright.changed { rgb, i -> ((rgb[i].toInt() and 255) / darkness).toByte() },
    )

    @AfterAll
    fun close() = models.close()

    @Test
    fun `networks see what they see in Python`() {
        val photo = Pyramid(upright)
        for ((i, case) in Golden.value("perception/samples").jsonArray.withIndex()) {
            val repeat = case.jsonObject.getValue("repeat").jsonPrimitive.boolean
            val found = checkNotNull(photo.sample(region(case), side(i), repeat))
            // OpenCV counts in 1/32 pixels.
            assertGolden("perception/sample/$i", found, 9f, 0.6f)
        }
        assertEquals(null, photo.sample(Region(-500.0, 10.0, 60.0), 32, repeat = true))
    }

    @Test
    fun `dark tones are raised`() {
        val photo = Pyramid(photos.getValue("dark"))
        val seen = checkNotNull(photo.sample(Region.whole(photo), side(0), repeat = false))
        assertGolden("perception/lifted", lifted(seen), 9f, 0.6f)
        assertGolden("perception/brightened", brightened(seen), 9f, 0.6f)
    }

    @Test
    fun `detectors and Face Mesh find the same`() {
        for ((i, case) in Golden.value("perception/detections").jsonArray.withIndex()) {
            val photo = Pyramid(photos.getValue(case.text("photo")))
            val layout = listOf(Layout.FULL, Layout.SHORT).single { it.model == case.text("layout") }
            val found = detect(models, layout, photo, region(case))
            val expected = case.jsonObject.getValue("found").jsonArray
            assertEquals(expected.size, found.size, "case $i")
            for ((one, other) in expected.zip(found)) assertDetection(one, other)
            if (case.jsonObject.getValue("presence") == JsonNull) continue
            val fit = checkNotNull(fit(models, photo, regionOf(found[0])))
            assertEquals(case.number("presence"), fit.presence, 0.02)
            assertPoints("perception/mesh/$i", fit.landmarks)
        }
    }

    @Test
    fun `faces are found upright, leaning, upside down and in the dark`() {
        for ((name, expected) in Golden.value("perception/faces").jsonObject) {
            val faces = perception.find(photos.getValue(name))
            assertEquals(expected.jsonArray.size, faces.size, name)
            for ((i, face) in faces.withIndex()) {
                val wanted = expected.jsonArray[i]
                assertPoints("perception/landmarks/$name/$i", face.landmarks)
                assertEquals(wanted.number("presence"), face.presence, 0.02)
                val pose = wanted.jsonObject.matrix("head_pose")
                for (k in 0 until 9) assertEquals(pose.m[k], face.headPose.m[k], 0.01, "$name: head_pose[$k]")
                val crop = wanted.jsonObject.getValue("crop").toCrop()
                assertEquals(crop.size, face.crop.size, 0.01 * crop.size)
                val turn = (crop.roll - face.crop.roll + 3 * Math.PI).mod(2 * Math.PI) - Math.PI
                assertEquals(0.0, turn, 0.01, "$name: roll")
            }
        }
    }

    @Test
    fun `a person's outline is the same`() {
        val photo = photos.getValue("leaning")
        val outline = perception.person(perception.find(photo).first().crop.extract(photo, FINE * SIDE))
        assertGolden("perception/person", outline.map { it * 255 }.data, 120f, 1f)
    }

    @Test
    fun `there is no face in a wall, in noise, or in too few pixels`() {
        val noise = java.util.Random(3)
        val pictures = listOf(
            Photo(90, 120, ByteArray(90 * 120 * 3) { 127 }),
            Photo(90, 120, ByteArray(90 * 120 * 3).also(noise::nextBytes)),
            Photo(20, 300, ByteArray(20 * 300 * 3)),
        )
        for (picture in pictures) assertEquals(emptyList<Face>(), perception.find(picture))
    }

    @Test
    fun `detections of one face are averaged by their scores`() {
        fun box(x: Double, score: Double) = Candidate(DoubleArray(16) { if (it == 0) x else 0.2 }, score)
        val (first, second) = merged(listOf(box(0.30, 0.6), box(0.7, 0.7), box(0.32, 0.9)))
        assertEquals(0.312, first.values[0], 1e-9)
        assertEquals(0.9, first.score)
        assertEquals(0.7, second.values[0], 1e-9)
    }

    private fun region(case: JsonElement) =
        Region(case.number("x"), case.number("y"), case.number("side"), case.number("angle"))

    private fun side(sample: Int) = Golden.shape("perception/sample/$sample")[0]

    private fun assertDetection(expected: JsonElement, found: Detection) {
        assertEquals(expected.number("score"), found.score, 0.02)
        val place = listOf(found.middle.x, found.middle.y, found.width, found.height)
        for ((name, value) in listOf("x", "y", "width", "height").zip(place)) {
            assertEquals(expected.number(name), value, 0.5, name)
        }
        for ((point, other) in expected.jsonObject.getValue("points").jsonArray.zip(found.points)) {
            val (x, y) = point.numbers()
            assertTrue(hypot(x - other.x, y - other.y) < 0.5) { "$other, not ($x, $y)" }
        }
    }

    /** Landmarks within a quarter of a pixel of the network's input on average, one pixel at most. */
    private fun assertPoints(name: String, found: FloatArray) {
        val expected = Golden.floats(name)
        val pixel = bounds(expected).let { maxOf(it[2], it[3]) } * 1.5f / 256
        val apart = expected.indices.filter { it % 3 < 2 }.map { abs(expected[it] - found[it]) / pixel }
        assertTrue(apart.average() < 0.25) { "$name: ${apart.average()} pixels on average" }
        assertTrue(apart.max() < 1) { "$name: ${apart.max()} pixels at most" }
    }

    private fun Photo.changed(change: (ByteArray, Int) -> Byte) =
        Photo(height, width, ByteArray(rgb.size) { change(rgb, it) })
}
