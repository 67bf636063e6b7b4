// SPDX-License-Identifier: Apache-2.0
/** What the photo itself tells of the light already there: creases, and halves that differ. */
package portrait.relight

import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.max
import kotlin.math.sqrt
import portrait.relight.Constants.FineShading.DARK
import portrait.relight.Constants.FineShading.EVEN
import portrait.relight.Constants.FineShading.EVEN_CONTRAST
import portrait.relight.Constants.FineShading.FINE
import portrait.relight.Constants.FineShading.LIMIT
import portrait.relight.Constants.FineShading.ODD
import portrait.relight.Constants.FineShading.ODD_CONTRAST
import portrait.relight.Constants.FineShading.SEEN

/**
 * Shading brought nearer to what the photo shows: both halves of a face have the same albedo, and faces have
 * much the same albedo in the same place. What differs from that is light.
 *
 * @param logShading natural logarithm of the existing light's shading, triples.
 * @param linear the photo in linear light.
 * @param images mirror images of the face's points, and what is usual there.
 * @param face 1 on the visible face, else 0.
 * @param other how far a pixel's colour is not the skin's, in [0, 1].
 * @return triples; the mean of their exponential over the face is as it was.
 */
internal fun fineShading(
    logShading: FloatArray,
    linear: Raster,
    images: Mirror,
    face: Raster,
    other: Raster,
): FloatArray {
    val trust = images.trust.weighted(face)
    val total = trust.data.sumOf { it.toDouble() }
    if (total == 0.0) return logShading
    val both = Raster(face.rows, face.columns, 2)
    for (i in trust.data.indices) {
        val grey = mean(logShading, i)
        both.data[i * 2] = ln(max(mean(linear.data, i), DARK)) - images.albedo.data[i] - grey
        both.data[i * 2 + 1] = grey
    }
    val mirrored = reflect(both, images)
    val even = both.zip(mirrored) { a, b -> (a + b) / 2 }
    val odd = both.zip(mirrored) { a, b -> (a - b) / 2 }
    val wide = average(even.channel(0), trust)
    val evenBelief = belief(even.channel(1), trust, total, EVEN, EVEN_CONTRAST)
    val oddBelief = belief(odd.channel(1), trust, total, ODD, ODD_CONTRAST)
    val change = FloatArray(trust.data.size) {
        val fine = (even.data[it * 2] - wide.data[it]).coerceIn(-LIMIT, LIMIT)
        val found = evenBelief * fine + oddBelief * odd.data[it * 2].coerceIn(-LIMIT, LIMIT)
        val skin = if (found < 0) 1 - other.data[it] else 1f
        found * trust.data[it] * (1 - images.open.data[it]) * skin
    }
    val found = FloatArray(logShading.size) { logShading[it] + change[it / 3] }
    val level = ln(brightness(found, face) / brightness(logShading, face)).toFloat()
    return FloatArray(found.size) { found[it] - level }
}

private fun mean(triples: FloatArray, i: Int): Float = (triples[i * 3] + triples[i * 3 + 1] + triples[i * 3 + 2]) / 3

/** Sum over the face of what logarithms stand for. */
private fun brightness(logs: FloatArray, face: Raster): Double =
    logs.indices.sumOf { face.data[it / 3] * exp(logs[it].toDouble()) }

/** Values around each pixel of the trusted face. */
private fun average(values: Raster, trust: Raster): Raster {
    val share = gaussianBlur(trust, FINE.toDouble())
    val near = gaussianBlur(values.weighted(trust), FINE.toDouble())
    return near.zip(share) { value, own -> value / max(own, SEEN) }
}

/** How far the photo is believed where a part of the shading has some contrast. */
private fun belief(shading: Raster, trust: Raster, total: Double, most: Float, contrast: List<Float>): Float {
    val (low, high) = contrast
    val mean = shading.data.indices.sumOf { (shading.data[it] * trust.data[it]).toDouble() } / total
    val variance = shading.data.indices.sumOf { (shading.data[it] - mean) * (shading.data[it] - mean) * trust.data[it] }
    val deviation = sqrt(variance / total).toFloat()
    return most * ((deviation - low) / (high - low)).coerceIn(0f, 1f)
}
