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

/** Binary digits of a pixel's parts that lines are followed in. */
private const val FRACTION = 16
private const val ONE = 1L shl FRACTION

/**
 * Calls [put] with row and column of each pixel of a convex polygon, some more than once: the outline and
 * what lies within, as OpenCV's fillConvexPoly has it.
 */
internal fun fillConvex(corners: List<Corner>, side: Int, put: (Int, Int) -> Unit) {
    val fine = corners.map { (it.x * ONE).toLong() to (it.y * ONE).toLong() }
    for (i in fine.indices) {
        outline(fine[(i + fine.size - 1) % fine.size], fine[i]) { row, column ->
            if (row in 0 until side && column in 0 until side) put(row, column)
        }
    }
    val rows = fine.map { pixel(it.second) }
    val top = fine.indices.minBy { fine[it].second }
    val ends = listOf(Edge(top, 1, rows[top]), Edge(top, fine.size - 1, rows[top]))
    var left = fine.size
    for (row in rows[top]..minOf(rows.max(), side - 1)) {
        for (edge in ends) {
            while (row >= edge.until && left-- > 0) {
                val next = (edge.corner + edge.towards) % fine.size
                if (rows[next] > row) edge.follow(fine[edge.corner].first, fine[next].first, row, rows[next])
                edge.corner = next
            }
        }
        val (a, b) = ends.map { pixel(it.x) }.sorted()
        if (row >= 0) for (column in max(a, 0)..min(b, side - 1)) put(row, column)
        for (edge in ends) edge.x += edge.step
    }
}

/** The pixel whose centre is nearest to a place. */
private fun pixel(place: Long): Int = ((place + ONE / 2) shr FRACTION).toInt()

/** A side of a polygon followed downwards: from [corner] on, next [towards], down to row [until]. */
private class Edge(var corner: Int, val towards: Int, var until: Int) {
    var x = -ONE
    var step = 0L

    fun follow(from: Long, to: Long, row: Int, last: Int) {
        x = from
        step = ((to - from) * 2 + (last - row)) / (2L * (last - row))
        until = last
    }
}

/** The pixels of a line between two places. */
private fun outline(a: Pair<Long, Long>, b: Pair<Long, Long>, put: (Int, Int) -> Unit) {
    val flat = abs(b.first - a.first) > abs(b.second - a.second)
    fun along(place: Pair<Long, Long>) = if (flat) place.first else place.second
    fun across(place: Pair<Long, Long>) = if (flat) place.second else place.first
    val (start, end) = if (along(b) < along(a)) b to a else a to b
    put(pixel(end.second), pixel(end.first))
    val step = (across(end) - across(start)) * ONE / ((along(end) - along(start)) or 1L)
    val first = pixel(along(start))
    var place = across(start) + ONE / 2
    for (k in 0..((along(end) - along(start)) shr FRACTION).toInt()) {
        val aside = (place shr FRACTION).toInt()
        if (flat) put(aside, first + k) else put(first + k, aside)
        place += step
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
