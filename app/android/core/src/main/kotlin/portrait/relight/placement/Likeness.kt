// SPDX-License-Identifier: Apache-2.0
/** The light on a reference portrait, told so that it can be set up for another one. */
package portrait.relight

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import portrait.relight.Constants.Analysis.SKIN
import portrait.relight.Constants.Likeness.ASIDE_DEG
import portrait.relight.Constants.Likeness.BEHIND_DEG
import portrait.relight.Constants.Likeness.COPIED
import portrait.relight.Constants.Likeness.RATIOS
import portrait.relight.Constants.Likeness.SIDED
import portrait.relight.Constants.Likeness.TINTS
import portrait.relight.Constants.Cheek.DARKEST

/**
 * A portrait's light.
 *
 * @property azimuthDeg of its key as the head sees it, from the nose, > 0 to image right.
 * @property elevationDeg of its key above the eyes.
 * @property ratio key-to-fill, measured on the cheeks.
 * @property skin linear RGB of its skin, of luminance 1.
 */
internal class Likeness(
    val azimuthDeg: Double,
    val elevationDeg: Double,
    val ratio: Double,
    val skin: List<Double>,
) {
    /** Colour of a light that gives a face's skin some of this tint, as bright as white. */
    fun tint(analysis: Analysis): List<Double> {
        val relative = skin.zip(skinColor(analysis)).map { (other, own) -> (other / max(own, DARKEST)).pow(COPIED) }
        val scale = brightnessOf(relative)
        return relative.map { (it / scale).coerceIn(TINTS[0], TINTS[1]) }
    }
}

/** Reads a reference's light off one face. */
internal fun likenessOf(analysis: Analysis): Likeness {
    val reading = readLight(analysis)
    val towards = analysis.cropEnvironment.dominantDirection()
    val (azimuth, elevation) = angles(analysis.face.cropPose.transposed * towards)
    // The cheeks know the side better than the estimated light does.
    val side = if (reading.right > reading.left) 1 else -1
    val least = if (reading.ratio >= SIDED) ASIDE_DEG else 0.0
    return Likeness(
        side * min(max(abs(degrees(azimuth)), least), BEHIND_DEG),
        degrees(elevation),
        reading.ratio.coerceIn(RATIOS[0], RATIOS[1]),
        skinColor(analysis),
    )
}

/** Mean colour of a face's skin, linear RGB of luminance 1. */
private fun skinColor(analysis: Analysis): List<Double> {
    val view = analysis.view
    val linear = view.linear.data
    val plain = view.skin.data.indices.filter { view.skin.data[it] > SKIN }
    val cells = plain.ifEmpty { view.face.data.indices.filter { view.face.data[it] > 0 } }
    val mean = List(3) { c -> cells.sumOf { linear[it * 3 + c].toDouble() } / cells.size }
    val level = max(brightnessOf(mean), DARKEST)
    return mean.map { it / level }
}

private fun brightnessOf(color: List<Double>): Double = color.indices.sumOf { color[it] * LUMINANCE[it] }
