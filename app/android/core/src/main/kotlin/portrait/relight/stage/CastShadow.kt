// SPDX-License-Identifier: Apache-2.0
/** Shadows that a face throws on itself: what the nose, the brow and the lips hide from a light. */
package portrait.relight

import kotlin.math.atan
import kotlin.math.atan2
import kotlin.math.floor
import kotlin.math.hypot
import kotlin.math.max
import portrait.relight.Constants.CastShadow.AHEAD
import portrait.relight.Constants.CastShadow.OUTSIDE
import portrait.relight.Constants.CastShadow.REACH
import portrait.relight.Constants.CastShadow.SHARPEST
import portrait.relight.Constants.CastShadow.STEPS

/** Light visibility map: Lambert's cosine, and the shadows that the face mesh throws on itself. */
internal fun lightVisibility(mesh: Surface, normals: Raster, direction: Vector, radius: Float): Raster =
    visibility(normals, direction).zip(unshadowed(mesh, direction, radius)) { cosine, free -> cosine * free }

/**
 * Share of a light that the face mesh leaves free to be seen from each of its points, 1 outside it: its
 * depth is followed towards the light up to its horizon (Max 1988).
 *
 * @param direction unit vector towards the light, camera frame.
 * @param radius of the light's disk, radians.
 */
internal fun unshadowed(mesh: Surface, direction: Vector, radius: Float): Raster {
    val inside = mesh.mask
    val result = inside.map { 1f }
    val across = hypot(direction.x, direction.y)
    if (across < AHEAD) return result
    val depth = mesh.depth.zip(inside) { value, on -> if (on > 0) value else OUTSIDE }
    val stride = REACH * inside.rows / STEPS
    val steps = List(STEPS) {
        Step((it + 1) * stride, direction.x / across, -direction.y / across)
    }
    val towards = atan2(direction.z, across).toFloat()
    val soft = 2 * max(radius, SHARPEST)
    for (row in 0 until inside.rows) {
        for (column in 0 until inside.columns) {
            if (inside[row, column] == 0f) continue
            val here = depth[row, column]
            var steepest = Float.NEGATIVE_INFINITY
            for (step in steps) steepest = max(steepest, (step.from(depth, row, column) - here) / step.way)
            val clearance = (towards - atan(steepest)) / soft
            result.data[row * inside.columns + column] = (clearance + 0.5f).coerceIn(0f, 1f)
        }
    }
    return result
}

/** A step of [way] pixels across the picture. */
private class Step(val way: Float, right: Double, down: Double) {
    private val left = floor(way * right).toInt()
    private val top = floor(way * down).toInt()
    private val u = (way * right - left).toFloat()
    private val v = (way * down - top).toFloat()

    /** The depth that far from a pixel, bilinear. */
    fun from(depth: Raster, row: Int, column: Int): Float {
        val (y, x) = row + top to column + left
        val upper = at(depth, y, x) * (1 - u) + at(depth, y, x + 1) * u
        val lower = at(depth, y + 1, x) * (1 - u) + at(depth, y + 1, x + 1) * u
        return upper * (1 - v) + lower * v
    }

    private fun at(depth: Raster, row: Int, column: Int): Float =
        if (row in 0 until depth.rows && column in 0 until depth.columns) depth[row, column] else OUTSIDE
}
