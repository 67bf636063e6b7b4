// SPDX-License-Identifier: Apache-2.0
/** What a face's pixels say of the light on it: how bright its cheeks are, how well exposed it is. */
package portrait.relight

import kotlin.math.abs
import kotlin.math.log2
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import portrait.relight.Constants.Analysis.SKIN
import portrait.relight.Constants.Reading.BRIGHT
import portrait.relight.Constants.Reading.DARKEST
import portrait.relight.Constants.Reading.FRONTAL_DEG
import portrait.relight.Constants.Reading.LEAST_CHEEK
import portrait.relight.Constants.Reading.LEVELS
import portrait.relight.Constants.Reading.MOST_STOPS
import portrait.relight.Constants.Reading.QUARTER
import portrait.relight.Constants.View.SIDE

/**
 * Where the cheeks lie on a crop: 1, else 0.
 *
 * @property left turned to image left as the head stands upright.
 */
internal class Cheeks(val left: Raster, val right: Raster) {
    /** Median luminance of both on a picture of the crop in linear light. */
    fun brightness(linear: Raster): Pair<Double, Double> {
        val shown = linear.brightness()
        return middle(shown.within(left)) to middle(shown.within(right))
    }

    /** Key-to-fill: the brighter over the darker, >= 1. */
    fun ratio(linear: Raster): Double = brightness(linear).let { (a, b) -> max(a, b) / min(a, b) }
}

/** The flat of both cheeks, of plain skin; or the sides of a face that shows only one. */
internal fun cheeks(view: View): Cheeks {
    val plain = view.skin.map { if (it > SKIN) 1f else 0f }
    val skin = if (plain.data.any { it > 0 }) plain else view.face
    val (left, right) = listOf("right_cheek", "left_cheek").map { name ->
        region(view.landmarks, listOf(name), SIDE).zip(skin) { a, b -> a * b }
    }
    return if (min(left.data.sum(), right.data.sum()) >= LEAST_CHEEK) Cheeks(left, right) else sides(view, skin)
}

/** The quarters of the skin that face furthest to the left and to the right. */
internal fun sides(view: View, skin: Raster): Cheeks {
    val across = view.mesh.normals.channel(0)
    val order = across.within(skin).apply { sort() }
    val count = order.size / QUARTER
    if (count == 0) return Cheeks(view.face, view.face)
    val (low, high) = order[count] to order[order.size - 1 - count]
    return Cheeks(
        skin.zip(across) { inside, x -> if (inside > 0 && x <= low) 1f else 0f },
        skin.zip(across) { inside, x -> if (inside > 0 && x >= high) 1f else 0f },
    )
}

/** The median, of an even number the higher; at least [DARKEST]. */
internal fun middle(values: FloatArray): Double {
    if (values.isEmpty()) return DARKEST
    return max(values.sortedArray()[values.size / 2].toDouble(), DARKEST)
}

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

/** Luminance of linear light of three channels. */
internal fun Raster.brightness(): Raster = Raster(rows, columns, 1, FloatArray(rows * columns) {
    luminance(data[it * 3], data[it * 3 + 1], data[it * 3 + 2])
})

/** The numbers of one channel where a mask is not 0, row by row. */
private fun Raster.within(mask: Raster): FloatArray {
    val found = FloatArray(mask.data.count { it > 0 })
    var n = 0
    for (i in data.indices) if (mask.data[i] > 0) found[n++] = data[i]
    return found
}
