// SPDX-License-Identifier: Apache-2.0
/** Shadows that a face throws on itself: what the nose, the brow and the lips hide from a light. */
package portrait.relight

import kotlin.math.atan
import kotlin.math.atan2
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.hypot
import kotlin.math.max
import portrait.relight.Constants.CastShadow.AHEAD
import portrait.relight.Constants.CastShadow.OUTSIDE
import portrait.relight.Constants.CastShadow.REACH
import portrait.relight.Constants.CastShadow.SHARPEST
import portrait.relight.Constants.CastShadow.STEPS

/**
 * Share of a light that the face mesh leaves free to be seen from each of its points, 1 outside it: its
 * depth is followed towards the light up to its horizon (Max 1988).
 *
 * @param direction unit vector towards the light, camera frame.
 * @param radius of the light's disk, radians.
 */
internal fun unshadowed(mesh: Surface, direction: Vector, radius: Float): Raster {
    val side = mesh.mask.rows
    val result = mesh.mask.map { 1f }
    val across = hypot(direction.x, direction.y)
    val (low, high) = mesh.mask.data.run { indexOfFirst { it > 0 } to indexOfLast { it > 0 } }
    if (across < AHEAD || low < 0) return result
    val stride = REACH * side / STEPS
    val margin = ceil(stride * STEPS).toInt() + 1
    val line = side + 2 * margin
    val depth = FloatArray(line * line).also { it.fill(OUTSIDE) }
    for (i in 0 until side * side) {
        if (mesh.mask.data[i] > 0) depth[(i / side + margin) * line + i % side + margin] = mesh.depth.data[i]
    }
    val steepest = FloatArray(side * side).also { it.fill(Float.NEGATIVE_INFINITY) }
    for (step in 1..STEPS) {
        val way = step * stride
        val (right, down) = way * direction.x / across to -way * direction.y / across
        val (left, top) = floor(right).toInt() to floor(down).toInt()
        val (u, v) = (right - left).toFloat() to (down - top).toFloat()
        for (row in low / side..high / side) {
            raise(steepest, row * side, side, depth, (row + margin) * line + margin, top * line + left, line, u, v, 1 / way)
        }
    }
    val towards = atan2(direction.z, across).toFloat()
    val soft = 2 * max(radius, SHARPEST)
    for (i in low..high) {
        if (mesh.mask.data[i] == 0f) continue
        val clearance = (towards - atan(steepest[i])) / soft
        result.data[i] = (clearance + 0.5f).coerceIn(0f, 1f)
    }
    return result
}

/**
 * Raises the steepest slopes of a row to those towards what lies [shift] cells away, bilinear.
 *
 * @param to first of [count] slopes.
 * @param here the depth at the first of them.
 * @param line cells of the depth's rows.
 * @param u share of the cell to the right.
 * @param v share of the cell below.
 * @param share of one cell in the way there.
 */
private fun raise(
    steepest: FloatArray,
    to: Int,
    count: Int,
    depth: FloatArray,
    here: Int,
    shift: Int,
    line: Int,
    u: Float,
    v: Float,
    share: Float,
) {
    for (i in 0 until count) {
        val at = here + shift + i
        val upper = depth[at] * (1 - u) + depth[at + 1] * u
        val lower = depth[at + line] * (1 - u) + depth[at + line + 1] * u
        steepest[to + i] = max(steepest[to + i], (upper * (1 - v) + lower * v - depth[here + i]) * share)
    }
}
