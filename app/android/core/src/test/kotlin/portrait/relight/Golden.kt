// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.awt.image.BufferedImage
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.ConcurrentHashMap
import java.util.zip.GZIPInputStream
import javax.imageio.ImageIO
import kotlin.math.abs
import kotlin.math.log10
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import portrait.relight.Constants.Silhouette.SEEN_SIDE

/** What Python found: `python -m export.golden` writes it. */
object Golden {
    private val index = Json.parseToJsonElement(read("golden.json").decodeToString()).jsonObject
    private val content = ByteBuffer.wrap(unpacked("golden.bin.gz")).order(ByteOrder.LITTLE_ENDIAN)
    val root = File(System.getProperty("repository.root"))

    /** The example portrait. */
    val example: Photo by lazy { decode(ImageIO.read(File(root, "examples/astronaut.png"))) }

    /** The example as Python relit it. */
    val relit: Photo by lazy { decode(ImageIO.read(read("relit.png").inputStream())) }

    /** Its head leaning to image right. */
    val leaning: Photo by lazy { decode(ImageIO.read(read("leaning.png").inputStream())) }

    val landmarks: FloatArray get() = floats("mesh/landmarks")
    val face: Face by lazy { Face.fromLandmarks(landmarks, example.height, example.width) }

    /** Knows one person's outline, on the head's square and the body's, and, if they are given, faces. */
    class Recorded(
        private val faces: List<FloatArray> = listOf(landmarks),
        private val name: String = "view",
    ) : Perception {
        private val bodies = ConcurrentHashMap.newKeySet<Int>()

        override fun find(photo: Photo): List<Face> {
            val found = faces.map { Face.fromLandmarks(it, photo.height, photo.width) }
            for (face in found) bodyCrop(face.crop, photo)?.let { bodies += it.extract(photo, SEEN_SIDE).rgb.contentHashCode() }
            return found.sortedByDescending { it.size }
        }

        override fun person(crop: Photo): Raster {
            val part = if (crop.rgb.contentHashCode() in bodies) "body" else "person"
            return raster("$name/${part}_mask").map { it / 255 }
        }

        override fun close() = Unit
    }

    /** The example's face as the stages see it. */
    val view: View by lazy { look(Recorded(), example, face) }

    /** What Python's networks tell of it. */
    val analysis: Analysis by lazy {
        val (normals, confidence) = raster("normals/normals") to raster("normals/confidence")
        val environment = Environment(raster("lighting/environment"))
        val brightness = meanIrradiance(environment, normals, view.face)
        val recorded = Recorded().also { it.find(example) }
        val head = Head(view, Normals(normals, confidence), environment)
        val whole = bodyOf(lookBelow(recorded, example, face), face.crop, head)
        Analysis(face, view, environment, normals, confidence, brightness, example, whole.person, whole.body)
    }

    fun value(name: String): JsonElement = index.getValue("values").jsonObject.getValue(name)

    fun shape(name: String): List<Int> =
        entry(name).getValue("shape").jsonArray.map { it.jsonPrimitive.int }

    /** An array's numbers, whatever its type. */
    fun floats(name: String): FloatArray {
        val count = shape(name).fold(1, Int::times)
        val offset = entry(name).int("offset")
        val type = entry(name).text("type")
        return FloatArray(count) {
            when (type) {
                "float32" -> content.getFloat(offset + 4 * it)
                "int32" -> content.getInt(offset + 4 * it).toFloat()
                else -> (content.get(offset + it).toInt() and 255).toFloat()
            }
        }
    }

    /** An array of two or three dimensions. */
    fun raster(name: String): Raster {
        val shape = shape(name)
        return Raster(shape[0], shape[1], shape.getOrElse(2) { 1 }, floats(name))
    }

    /** An array of bytes as a picture. */
    fun photo(name: String): Photo = Photo.rounded(raster(name))

    private fun entry(name: String) = index.getValue("arrays").jsonObject.getValue(name).jsonObject

    private fun unpacked(name: String): ByteArray =
        GZIPInputStream(read(name).inputStream()).use { it.readBytes() }

    private fun read(name: String): ByteArray =
        checkNotNull(Golden::class.java.getResourceAsStream("/golden/$name")) { "no golden/$name" }
            .use { it.readBytes() }

    private fun decode(image: BufferedImage): Photo {
        val argb = image.getRGB(0, 0, image.width, image.height, null, 0, image.width)
        return Photo.fromArgb(image.height, image.width, argb)
    }
}

fun JsonElement.number(name: String): Double = jsonObject.getValue(name).jsonPrimitive.double

fun JsonElement.int(name: String): Int = jsonObject.getValue(name).jsonPrimitive.int

fun JsonElement.text(name: String): String = jsonObject.getValue(name).jsonPrimitive.content

fun JsonElement.numbers(): List<Double> = jsonArray.map { it.jsonPrimitive.double }

fun JsonElement.toCrop(): Crop = Crop(number("x"), number("y"), number("size"), number("roll"))

fun JsonElement.toMatrix(): Matrix = Matrix(jsonArray.flatMap { it.numbers() }.toDoubleArray())

fun JsonElement.toLight(): Light = Light(
    number("azimuth_deg"),
    number("elevation_deg"),
    number("intensity"),
    jsonObject.getValue("color").numbers(),
    number("softness_deg"),
    number("gloss"),
    text("reason"),
)

/** Each triple of numbers as a vector. */
fun FloatArray.vectors(): List<Vector> =
    toList().chunked(3) { (x, y, z) -> Vector(x.toDouble(), y.toDouble(), z.toDouble()) }

/** Checks numbers against the golden array [name]: largest and mean difference. */
fun assertGolden(name: String, found: FloatArray, most: Float, mean: Float = most) {
    val expected = Golden.floats(name)
    assertEquals(expected.size, found.size, "$name: count of numbers")
    var (sum, largest, where) = Triple(0.0, 0f, 0)
    for (i in expected.indices) {
        val error = abs(expected[i] - found[i])
        assertTrue(error.isFinite(), "$name[$i] is ${found[i]}")
        sum += error
        if (error > largest) {
            largest = error
            where = i
        }
    }
    assertTrue(largest <= most) {
        "$name[$where] is ${found[where]}, not ${expected[where]}: off by $largest, allowed is $most"
    }
    assertTrue(sum / expected.size <= mean) { "$name is off by ${sum / expected.size} on average, allowed is $mean" }
}

/** Every so many rows and columns. */
fun Rows.every(step: Int): Raster {
    val kept = Raster((rows + step - 1) / step, (columns + step - 1) / step, channels)
    val line = FloatArray(columns * channels)
    for (y in 0 until kept.rows) {
        row(y * step, line)
        for (i in 0 until kept.columns * channels) {
            kept.data[y * kept.columns * channels + i] = line[i / channels * step * channels + i % channels]
        }
    }
    return kept
}

/** Peak signal-to-noise ratio in decibels; the peak is 255. */
fun psnr(a: FloatArray, b: FloatArray): Double {
    assertEquals(a.size, b.size)
    val mean = a.indices.sumOf { (a[it] - b[it]).toDouble() * (a[it] - b[it]) } / a.size
    return if (mean == 0.0) Double.POSITIVE_INFINITY else 10 * log10(255.0 * 255.0 / mean)
}

/** A photo's bytes as numbers. */
fun Photo.numbers(): FloatArray = FloatArray(rgb.size) { (rgb[it].toInt() and 255).toFloat() }

fun assertCrop(expected: Crop, found: Crop) {
    val (wanted, got) = listOf(expected, found).map { listOf(it.x, it.y, it.size, it.roll * it.size) }
    for (i in wanted.indices) assertEquals(wanted[i], got[i], 1e-3, "$found, not $expected")
}

/** Checks lights but for their reasons: angles to a hundred times the tolerance of the other numbers. */
fun assertLights(expected: JsonElement, found: List<Light>, name: String, tolerance: Double = 1e-4) {
    val lights = expected.jsonArray.map { it.toLight() }
    assertEquals(lights.size, found.size, "$name: count of lights")
    for ((light, other) in lights.zip(found)) {
        assertEquals(light.azimuthDeg, other.azimuthDeg, 100 * tolerance, "$name: azimuth")
        assertEquals(light.elevationDeg, other.elevationDeg, 100 * tolerance, "$name: elevation")
        assertEquals(light.intensity, other.intensity, tolerance, "$name: intensity")
        for (c in 0 until 3) assertEquals(light.color[c], other.color[c], tolerance, "$name: color")
        assertEquals(light.softnessDeg, other.softnessDeg, 1e-9, "$name: softness")
        assertEquals(light.gloss, other.gloss, 1e-9, "$name: gloss")
    }
}

/** Checks a whole setup; of its reason, the words. */
fun assertSetup(expected: JsonElement, found: Setup, tolerance: Double, name: String) {
    val parts = expected.jsonObject
    assertLights(parts.getValue("lights"), found.lights, name, tolerance)
    assertEquals(expected.number("fill"), found.fill, tolerance, "$name: fill")
    val shares = parts.getValue("shares").numbers()
    assertEquals(shares.size, found.shares.size, "$name: count of shares")
    for ((share, other) in shares.zip(found.shares)) assertEquals(share, other, tolerance, "$name: share")
    assertEquals(words(expected.text("reason")), words(found.reason), "$name: reason")
    assertEquals(found.reason, found.lights[0].reason, "$name: reason of the key")
}

/** A sentence without its numbers. */
private fun words(text: String) = text.replace(Regex("-?[0-9.]+"), "#")

fun JsonObject.matrix(name: String): Matrix = getValue(name).toMatrix()
