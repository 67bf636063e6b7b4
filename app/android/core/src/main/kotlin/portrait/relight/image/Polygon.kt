// SPDX-License-Identifier: Apache-2.0
/** Filling polygons: the inside, and every pixel that the outline touches. */
package portrait.relight

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import portrait.relight.Constants.Mesh.FINENESS

/** Corners are counted in this part of a pixel. */
private const val PARTS = (1 shl FINENESS).toDouble()

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

/**
 * The same as OpenCV's fillPoly has it, to the pixel: corners lie on whole rows, the outline is drawn
 * by Bresenham's algorithm between whole pixels.
 */
internal inline fun fillRegion(corners: List<Corner>, side: Int, put: (Int, Int) -> Unit) {
    val whole = corners.map { it.copy(y = nearest(it.y).toDouble()) }
    for (i in whole.indices) {
        for ((row, column) in line(whole[i], whole[(i + 1) % whole.size])) {
            if (row in 0 until side && column in 0 until side) put(row, column)
        }
    }
    for (row in max(0, whole.minOf { it.y }.toInt())..min(side - 1, whole.maxOf { it.y }.toInt())) {
        val crossings = crossings(whole, row)
        for (k in 0 until crossings.size - 1 step 2) {
            val first = max(0, ceil(crossings[k]).toInt())
            for (column in first..min(side - 1, floor(crossings[k + 1]).toInt())) put(row, column)
        }
    }
}

/** Rows and columns of a line between the pixels nearest to two corners, from left to right. */
internal fun line(a: Corner, b: Corner): List<Pair<Int, Int>> {
    val (left, right) = if (nearest(a.x) <= nearest(b.x)) a to b else b to a
    var (row, column) = nearest(left.y) to nearest(left.x)
    val (rows, columns) = nearest(right.y) - row to nearest(right.x) - column
    val down = if (rows < 0) -1 else 1
    val steep = abs(rows) > columns
    val (long, short) = max(abs(rows), columns) to min(abs(rows), columns)
    var error = long - 2 * short
    return List(long + 1) {
        val here = row to column
        if (error < 0) {
            if (steep) column++ else row += down
            error += 2 * long
        }
        error -= 2 * short
        if (steep) row += down else column++
        here
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
