// SPDX-License-Identifier: Apache-2.0
/** Shading: how bright the light already there makes a surface. */
package portrait.relight

import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.max
import kotlin.math.sqrt
import portrait.relight.Constants.Environment.HEIGHT
import portrait.relight.Constants.Environment.WIDTH
import portrait.relight.Constants.Shading.BELIEF
import portrait.relight.Constants.Shading.CAST
import portrait.relight.Constants.Shading.CAST_BLUR
import portrait.relight.Constants.Shading.CAST_LIMIT
import portrait.relight.Constants.Shading.COVER_BLUR
import portrait.relight.Constants.Shading.DIM
import portrait.relight.Constants.Shading.HARDNESS
import portrait.relight.Constants.Shading.NO_LIGHT
import portrait.relight.Constants.Shading.SHADING_LIMIT
import portrait.relight.Constants.Shading.TRUSTED

/**
 * How bright the light already there makes a white surface, against the face's mean.
 *
 * @param normals camera frame, unit on the person, 0 outside.
 * @param face one channel, 1 on the visible face, else 0.
 * @return three channels: natural logarithm of the irradiance over its luminance's mean on the face,
 *   within plus and minus [SHADING_LIMIT]; 0 outside the person.
 */
internal fun shading(environment: Environment, normals: Raster, face: Raster): Raster {
    // Irradiance is smooth: a table over the map's directions is exact to a percent.
    val cells = directions(HEIGHT).flatMap { environment.irradiance(it).toList() }
    val table = Environment(Raster(HEIGHT, WIDTH, 3, cells.toFloatArray()))
    val n = normals.data
    val irradiance = Raster(normals.rows, normals.columns, 3)
    for (i in n.indices step 3) {
        val normal = Vector(n[i].toDouble(), n[i + 1].toDouble(), n[i + 2].toDouble())
        table.sample(normal).copyInto(irradiance.data, i)
    }
    val mean = max(meanLuminance(irradiance, face) ?: meanLuminance(table.data, null) ?: 0f, NO_LIGHT)
    for (i in n.indices) {
        val pixel = i - i % 3
        val person = n[pixel] * n[pixel] + n[pixel + 1] * n[pixel + 1] + n[pixel + 2] * n[pixel + 2]
        val relative = ln(max(irradiance.data[i], NO_LIGHT) / mean)
        irradiance.data[i] = relative.coerceIn(-SHADING_LIMIT, SHADING_LIMIT) * person
    }
    return irradiance
}

/**
 * How far an estimated light's shading is believed, within [BELIEF]: the harder it is, the more.
 *
 * @param shading three channels, by [shading].
 * @param face one channel, 1 on the visible face, else 0.
 */
internal fun belief(shading: Raster, face: Raster): Float {
    val on = face.data.indices.filter { face.data[it] > 0 }.map { i ->
        (0 until 3).sumOf { shading.data[i * 3 + it].toDouble() } / 3
    }
    val mean = on.average()
    val spread = if (on.isEmpty()) 0.0 else sqrt(on.sumOf { (it - mean) * (it - mean) } / on.size)
    val (soft, hard) = HARDNESS
    val (low, high) = BELIEF
    return low + (high - low) * ((spread.toFloat() - soft) / (hard - soft)).coerceIn(0f, 1f)
}

/** Mean luminance of the cells whose [mask] is not 0, of all without one; null where there is none. */
private fun meanLuminance(image: Raster, mask: Raster?): Float? {
    var sum = 0.0
    var count = 0
    for (i in 0 until image.rows * image.columns) {
        if (mask != null && mask.data[i] == 0f) continue
        sum += luminance(image.data[i * 3], image.data[i * 3 + 1], image.data[i * 3 + 2])
        count++
    }
    return if (count == 0) null else (sum / count).toFloat()
}

/**
 * How the colours of a face differ from its skin's.
 *
 * @param linear the photo in linear light.
 * @param skin trust in a pixel as plain skin.
 */
internal class SkinColors(linear: Raster, skin: Raster) {
    private val seen = linear.map { max(it, DIM) }
    private val level = seen.brightness()
    private val plain = skin.data.indices.filter { skin.data[it] > TRUSTED }

    /** Logarithms of colours over their brightness, against the usual of plain skin. */
    private val apart = Raster(linear.rows, linear.columns, 3)

    /** 0 where they differ as light does, 1 where hair's do. */
    val other = Raster(linear.rows, linear.columns, 1)

    init {
        for (i in apart.data.indices) apart.data[i] = ln(seen.data[i] / level.data[i / 3])
        if (plain.isNotEmpty()) {
            val usual = List(3) { c -> plain.map { apart.data[it * 3 + c] }.sorted()[plain.size / 2] }
            for (i in apart.data.indices) apart.data[i] -= usual[i % 3]
        }
        val (low, high) = CAST_LIMIT
        for (i in other.data.indices) {
            other.data[i] = smoothstep((0 until 3).maxOf { abs(apart.data[i * 3 + it]) }, low, high)
        }
    }

    /** What the colour of the light already there, on plain skin, adds to its shading: three logarithms. */
    fun cast(): Raster {
        val trust = Raster(seen.rows, seen.columns, 1)
        for (i in plain) trust.data[i] = 1 - other.data[i]
        val share = gaussianBlur(trust, CAST_BLUR.toDouble())
        val part = gaussianBlur(apart.weighted(trust), CAST_BLUR.toDouble())
        val found = part.weighted(trust.zip(share) { own, around -> CAST * own / max(around, TRUSTED) })
        val dimmed = seen.zip(found) { value, light -> value * exp(-light) }.brightness()
        for (i in found.data.indices) found.data[i] += ln(dimmed.data[i / 3] / level.data[i / 3])
        return found
    }

    /**
     * Shading without the darkness of hair that lies over a face: what has another colour than the face's
     * skin is no darker than a smooth light makes it.
     *
     * @param logShading natural logarithm of the shading, triples.
     * @param smooth that of the estimated light, triples, believed as [believed] says.
     */
    fun uncovered(logShading: FloatArray, smooth: FloatArray, believed: Float): FloatArray {
        val bare = Raster(other.rows, other.columns, 1)
        for (i in plain) bare.data[i] = other.data[i]
        val cover = gaussianBlur(bare, COVER_BLUR.toDouble())
        return FloatArray(logShading.size) {
            val at = it / 3 * 3
            val lit = believed * (smooth[at] + smooth[at + 1] + smooth[at + 2]) / 3
            logShading[it] + cover.data[it / 3] * max(lit - logShading[it], 0f)
        }
    }
}
