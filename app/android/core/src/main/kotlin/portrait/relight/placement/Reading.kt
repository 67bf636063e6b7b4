// SPDX-License-Identifier: Apache-2.0
/** What a face's pixels say of the light on it: how bright its cheeks are, how well exposed it is. */
package portrait.relight

import kotlin.math.abs
import kotlin.math.log2
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import portrait.relight.Constants.Analysis.SKIN
import portrait.relight.Constants.Cheek.DARKEST
import portrait.relight.Constants.Reading.BRIGHT
import portrait.relight.Constants.Reading.FRONTAL_DEG
import portrait.relight.Constants.Reading.LEVELS
import portrait.relight.Constants.Reading.MOST_STOPS

/**
 * What a face's pixels, and the light estimated from them, say; for an upright head.
 *
 * @property left luminance of the cheek turned to image left.
 * @property right of the other.
 * @property mean luminance of the face.
 * @property bright luminance of its bright skin.
 * @property around stops by which the estimated light is brighter from image right than from image left,
 *   for somebody who faces the camera.
 * @property yawDeg of the nose, > 0 to image right.
 * @property pitchDeg of the nose, > 0 up.
 * @property size of the face.
 */
internal class Reading(
    val left: Double,
    val right: Double,
    val mean: Double,
    val bright: Double,
    val around: Double,
    val yawDeg: Double,
    val pitchDeg: Double,
    val size: Double,
) {
    /** Key-to-fill: the brighter over the darker cheek. */
    val ratio: Double get() = max(left, right) / min(left, right)

    /** The cheek on a side, +1 image right, over the other one. */
    fun towards(side: Int): Double = if (side > 0) right / left else left / right

    /** Stops by which the light there is stronger from image right than from image left. */
    val lean: Double
        get() {
            val stops = log2(right / left).coerceIn(-MOST_STOPS, MOST_STOPS)
            val trust = max(0.0, 1 - abs(yawDeg) / FRONTAL_DEG) / 2
            return around * (1 - trust) + stops * trust
        }

    /** Stops by which the face is darker than most photographers expose one. */
    val dimness: Double
        get() = LEVELS.zip(listOf(mean, bright)).sumOf { (usual, own) -> log2(usual / max(own, DARKEST)) } / LEVELS.size
}

/** Reads a face's light. */
internal fun readLight(analysis: Analysis): Reading {
    val view = analysis.view
    val (left, right) = cheeks(view).brightness(view.linear)
    val shown = view.linear.brightness()
    val face = shown.within(view.face)
    val plain = shown.within(view.skin.map { if (it > SKIN) 1f else 0f })
    val skin = (if (plain.isEmpty()) face else plain).sortedArray()
    val (beside, opposite) = analysis.cropEnvironment.cheekIrradiance()
    val (yaw, pitch) = headAngles(analysis.face.cropPose)
    return Reading(
        left,
        right,
        mean = if (face.isEmpty()) DARKEST else face.average(),
        bright = if (skin.isEmpty()) DARKEST else skin[(BRIGHT * (skin.size - 1)).toInt()].toDouble(),
        around = log2(max(opposite, DARKEST) / max(beside, DARKEST)),
        yaw,
        pitch,
        analysis.face.size,
    )
}

/** One reading of a group: the mean of its members', weighted by their faces' sizes. */
internal fun together(readings: List<Reading>): Reading {
    val total = readings.sumOf { it.size }
    fun mean(value: (Reading) -> Double) = readings.sumOf { value(it) * it.size } / total
    return Reading(
        left = 2.0.pow(mean { log2(it.left) }),
        right = 2.0.pow(mean { log2(it.right) }),
        mean = 2.0.pow(mean { log2(max(it.mean, DARKEST)) }),
        bright = 2.0.pow(mean { log2(max(it.bright, DARKEST)) }),
        around = mean { it.around },
        yawDeg = mean { it.yawDeg },
        pitchDeg = mean { it.pitchDeg },
        size = total,
    )
}
