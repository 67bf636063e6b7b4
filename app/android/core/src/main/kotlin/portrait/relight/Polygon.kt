// SPDX-License-Identifier: Apache-2.0
/** Filling polygons: the inside, and every pixel that the outline touches. */
package portrait.relight

import kotlin.math.abs
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/** Corners are counted in this part of a pixel. */
private const val PARTS = 16.0

/** A corner of a polygon, counted from the centre of pixel (0, 0). */
internal data class Corner(val x: Double, val y: Double) {
    companion object {
        /** From pixels, of which the first covers [0, 1), rounded to a sixteenth. */
        fun of(x: Float, y: Float): Corner = Corner(fine(x), fine(y))

        private fun fine(value: Float): Double = kotlin.math.round((value - 0.5) * PARTS) / PARTS
    }
}

/** Calls [put] with row and column of each pixel of a polygon, some more than once; even-odd. */
internal inline fun fillPolygon(corners: List<Corner>, side: Int, put: (Int, Int) -> Unit) {
    for (i in corners.indices) {
        val (a, b) = corners[i] to corners[(i + 1) % corners.size]
        val steps = floor(max(abs(b.x - a.x), abs(b.y - a.y))).toInt() + 1
        val reach = max(max(abs(b.x - a.x), abs(b.y - a.y)), 1e-9)
        for (k in 0..steps) {
            val t = min(1.0, k / reach)
            val row = nearest(a.y + (b.y - a.y) * t)
            val column = nearest(a.x + (b.x - a.x) * t)
            if (row in 0 until side && column in 0 until side) put(row, column)
        }
    }
    val low = max(0, nearest(corners.minOf { it.y }))
    val high = min(side - 1, nearest(corners.maxOf { it.y }))
    for (row in low..high) {
        val crossings = crossings(corners, row)
        for (k in 0 until crossings.size - 1 step 2) {
            val first = max(0, nearest(crossings[k]))
            for (column in first..min(side - 1, nearest(crossings[k + 1]))) put(row, column)
        }
    }
}

/** Where the outline crosses a row's centre, from left to right. */
internal fun crossings(corners: List<Corner>, row: Int): List<Double> {
    val found = ArrayList<Double>(4)
    for (i in corners.indices) {
        val (a, b) = corners[i] to corners[(i + 1) % corners.size]
        if ((a.y <= row) != (b.y <= row)) found += a.x + (b.x - a.x) * (row - a.y) / (b.y - a.y)
    }
    found.sort()
    return found
}

internal fun nearest(value: Double): Int = floor(value + 0.5).toInt()
