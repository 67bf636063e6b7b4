// SPDX-License-Identifier: Apache-2.0
/** Photos drawn anew, turned and scaled: bilinear, a pixel's three numbers in one step. */
package portrait.relight

import kotlin.math.roundToLong

/** Bits for each of a pixel's three numbers in one. */
private const val LANE = 21

/** Bits of the weight that a pixel has in what lies between four. */
private const val WEIGHT = 13

/** Bits of a place's fraction. */
private const val FRACTION = 32

/** A place, or a way, in whole numbers: a line of a picture is followed without rounding it anew. */
internal fun fixed(place: Double): Long = (place * (1L shl FRACTION)).roundToLong()

/**
 * A part of a photo, to be looked at between its pixels.
 *
 * @param repeat whether the part's edge repeats outside it; else it is black there.
 */
internal class Pixels(photo: Photo, part: Box, repeat: Boolean) {
    private val width = part.columns + 2
    private val lastRow = part.rows + 1
    private val lastColumn = part.columns + 1
    private val cells = LongArray((part.rows + 2) * width)

    init {
        for (row in 0 until part.rows) {
            val line = (row + 1) * width
            load(photo.rgb, ((part.top + row) * photo.width + part.left) * 3, line + 1, part.columns)
            if (repeat) {
                cells[line] = cells[line + 1]
                cells[line + lastColumn] = cells[line + lastColumn - 1]
            }
        }
        if (repeat) {
            cells.copyInto(cells, 0, width, 2 * width)
            cells.copyInto(cells, lastRow * width, (lastRow - 1) * width, lastRow * width)
        }
    }

    private fun load(rgb: ByteArray, from: Int, to: Int, count: Int) {
        for (i in 0 until count) {
            val at = from + 3 * i
            cells[to + i] = (rgb[at].toLong() and 255) or ((rgb[at + 1].toLong() and 255) shl LANE) or
                ((rgb[at + 2].toLong() and 255) shl 2 * LANE)
        }
    }

    /** The sum of four pixels around a [fixed] place, counted in pixel centres, each by its weight. */
    private fun around(x: Long, y: Long): Long {
        val column = (x shr FRACTION).toInt() + 1
        val row = (y shr FRACTION).toInt() + 1
        val upper = inside(row, lastRow) * width
        val lower = inside(row + 1, lastRow) * width
        val left = inside(column, lastColumn)
        val right = inside(column + 1, lastColumn)
        val u = (x ushr (FRACTION - WEIGHT)).toInt() and ((1 shl WEIGHT) - 1)
        val v = (y ushr (FRACTION - WEIGHT)).toInt() and ((1 shl WEIGHT) - 1)
        val both = (u * v + (1 shl (WEIGHT - 1))) shr WEIGHT
        return cells[upper + left] * ((1 shl WEIGHT) - u - v + both) + cells[upper + right] * (u - both) +
            cells[lower + left] * (v - both) + cells[lower + right] * both
    }

    /** A line of places from (x, y) on, each (dx, dy) further, as numbers from 0 to 255. */
    fun line(x: Long, y: Long, dx: Long, dy: Long, into: FloatArray, start: Int, count: Int) {
        var k = start
        for (i in 0 until count) {
            val sum = around(x + i * dx, y + i * dy)
            into[k] = UNIT * (sum and MASK).toInt()
            into[k + 1] = UNIT * (sum shr LANE and MASK).toInt()
            into[k + 2] = UNIT * (sum shr 2 * LANE).toInt()
            k += 3
        }
    }

    /**
     * A line of bytes from (x, y) on, each twice (dx, dy) further: the mean of four places, each rounded
     * first: the first, and those that are (dx, dy), (-dy, dx) and both further.
     */
    fun lineOfMeans(x: Long, y: Long, dx: Long, dy: Long, into: ByteArray, start: Int, count: Int) {
        var k = start
        for (i in 0 until count) {
            val across = x + 2 * i * dx
            val down = y + 2 * i * dy
            val sum = rounded(around(across, down)) + rounded(around(across + dx, down + dy)) +
                rounded(around(across - dy, down + dx)) + rounded(around(across + dx - dy, down + dy + dx))
            put((sum + 2 * EACH) ushr 2, into, k)
            k += 3
        }
    }

    /** A line of bytes from (x, y) on, each (dx, dy) further. */
    fun line(x: Long, y: Long, dx: Long, dy: Long, into: ByteArray, start: Int, count: Int) {
        for (i in 0 until count) put(rounded(around(x + i * dx, y + i * dy)), into, start + 3 * i)
    }

    /** Three bytes, each in its lane. */
    private fun rounded(sum: Long): Long = ((sum + (EACH shl (WEIGHT - 1))) ushr WEIGHT) and 255 * EACH

    private fun put(pixel: Long, into: ByteArray, at: Int) {
        into[at] = pixel.toByte()
        into[at + 1] = (pixel ushr LANE).toByte()
        into[at + 2] = (pixel ushr 2 * LANE).toByte()
    }

    private fun inside(index: Int, last: Int): Int = if (index < 0) 0 else if (index > last) last else index

    private companion object {
        const val UNIT = 1f / (1 shl WEIGHT)
        const val MASK = (1L shl LANE) - 1
        const val EACH = 1L or (1L shl LANE) or (1L shl 2 * LANE)
    }
}
