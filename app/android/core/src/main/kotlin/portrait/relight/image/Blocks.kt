// SPDX-License-Identifier: Apache-2.0
/** Photos averaged over blocks of pixels: rows are summed four bytes at once, and only then along. */
package portrait.relight

import kotlin.math.max
import kotlin.math.min

/**
 * Blocks of `factor x factor` pixels of a part of a photo, averaged and rounded; past the photo's border
 * its edge repeats.
 *
 * @param left photo column of the part's left edge, >= 0.
 * @param top photo row of its upper edge, >= 0.
 * @param rows of the result.
 * @param columns of the result.
 */
internal fun blocks(photo: Photo, left: Int, top: Int, factor: Int, rows: Int, columns: Int): Photo {
    val result = Photo(rows, columns, ByteArray(rows * columns * 3))
    val inside = left + columns * factor <= photo.width && top + rows * factor <= photo.height
    if (factor == 2 && inside) halve(photo, left, top, result) else average(photo, left, top, factor, result)
    return result
}

private fun average(photo: Photo, left: Int, top: Int, factor: Int, into: Photo) {
    val sums = RowSums(photo, left, into.columns * factor)
    for (y in 0 until into.rows) {
        sums.begin()
        for (k in 0 until factor) sums.add(top + y * factor + k)
        means(sums.bytes(), factor, into.rgb, y * into.columns * 3, into.columns)
    }
}

/** Averages each [factor] pixels along a line of sums over as many rows, rounded to bytes. */
private fun means(sums: IntArray, factor: Int, into: ByteArray, to: Int, count: Int) {
    val share = 1f / (factor * factor)
    var k = 0
    while (k < 3 * count) {
        val at = factor * k
        var red = sums[at]
        var green = sums[at + 1]
        var blue = sums[at + 2]
        var next = at + 3
        while (next < at + 3 * factor) {
            red += sums[next]
            green += sums[next + 1]
            blue += sums[next + 2]
            next += 3
        }
        into[to + k] = (red * share + 0.5f).toInt().toByte()
        into[to + k + 1] = (green * share + 0.5f).toInt().toByte()
        into[to + k + 2] = (blue * share + 0.5f).toInt().toByte()
        k += 3
    }
}

/** Sums of a photo's rows, byte by byte, over so many [pixels] from column [left] on; at most [MOST_ROWS]. */
private class RowSums(private val photo: Photo, private val left: Int, private val pixels: Int) {
    private val count = ceilDiv(pixels * 3, 4)
    private val line = ByteArray(count * 4)
    private val row = IntArray(count)
    private val even = IntArray(count)
    private val odd = IntArray(count)
    private val bytes = IntArray(count * 4)
    private var rows = 0

    /** Forgets all rows. */
    fun begin() {
        even.fill(0)
        odd.fill(0)
        rows = 0
    }

    /** Adds a row; past the photo's border its edge repeats. */
    fun add(index: Int) {
        check(++rows <= MOST_ROWS) { "sums of $rows rows need more than 16 bits" }
        val start = min(index, photo.height - 1) * photo.width * 3
        val end = start + photo.width * 3
        val inside = max(0, min(pixels, photo.width - left) * 3)
        if (inside > 0) photo.rgb.copyInto(line, 0, start + left * 3, start + left * 3 + inside)
        for (i in inside until pixels * 3) line[i] = photo.rgb[end - 3 + i % 3]
        readWords(line, 0, row)
        addEven(row, even)
        addOdd(row, odd)
    }

    private fun addEven(from: IntArray, into: IntArray) {
        for (i in into.indices) into[i] += from[i] and EACH
    }

    private fun addOdd(from: IntArray, into: IntArray) {
        for (i in into.indices) into[i] += (from[i] ushr 8) and EACH
    }

    /** The sums one by one, in the order of the photo's bytes. */
    fun bytes(): IntArray {
        var k = 0
        while (k < bytes.size) {
            val first = even[k shr 2]
            val second = odd[k shr 2]
            bytes[k] = first and FIRST
            bytes[k + 1] = second and FIRST
            bytes[k + 2] = first ushr SECOND
            bytes[k + 3] = second ushr SECOND
            k += 4
        }
        return bytes
    }

    private companion object {
        const val MOST_ROWS = FIRST / 255
    }
}
