// SPDX-License-Identifier: Apache-2.0
/** Photos halved again and again: 2 x 2 pixels averaged and rounded each time. */
package portrait.relight

import kotlin.math.min

/**
 * A part of a photo halved so many times. A single row or column stays one; an incomplete last one is
 * left out.
 */
internal fun halved(photo: Photo, times: Int, part: Box = Box(0, photo.rows, 0, photo.columns)): Photo {
    if (times == 0) return photo
    // Twice at once: what lies between costs about as much to write as all else.
    val twice = times >= 2 && min(part.rows, part.columns) >= 4
    return if (twice) halved(quarter(photo, part), times - 2) else halved(shrink(photo, 2, part), times - 1)
}

private fun quarter(photo: Photo, part: Box): Photo {
    val rows = part.rows / 4
    val columns = part.columns / 4
    val rgb = ByteArray(rows * columns * 3)
    val line = photo.width * 3
    for (y in 0 until rows) {
        quarterLine(photo.rgb, (part.top + 4 * y) * line + part.left * 3, line, rgb, y * columns * 3, columns)
    }
    return Photo(rows, columns, rgb)
}

private fun quarterLine(from: ByteArray, first: Int, line: Int, into: ByteArray, to: Int, count: Int) {
    for (i in 0 until count) {
        val at = first + 12 * i
        val low = at + 2 * line
        val sums = block(from, at, line) + block(from, at + 6, line) + block(from, low, line) + block(from, low + 6, line)
        put(mean(sums), into, to + 3 * i)
    }
}

/** Halves a row of [count] blocks of 2 x 2 pixels; rows of [from] are [line] bytes long. */
internal fun halveLine(from: ByteArray, first: Int, line: Int, into: ByteArray, to: Int, count: Int) {
    for (i in 0 until count) put(block(from, first + 6 * i, line), into, to + 3 * i)
}

/** Mean of 2 x 2 pixels, the first of which stands at a place. */
private fun block(from: ByteArray, at: Int, line: Int): Int {
    val low = at + line
    return mean(
        (from[at].toInt() and 255) + (from[at + 3].toInt() and 255) +
            (from[low].toInt() and 255) + (from[low + 3].toInt() and 255),
        (from[at + 1].toInt() and 255) + (from[at + 4].toInt() and 255) +
            (from[low + 1].toInt() and 255) + (from[low + 4].toInt() and 255),
        (from[at + 2].toInt() and 255) + (from[at + 5].toInt() and 255) +
            (from[low + 2].toInt() and 255) + (from[low + 5].toInt() and 255),
    )
}

/** Bits for each of a pixel's three numbers in one: a sum of four bytes has as many. */
private const val BITS = 10
private const val EACH = 1 or (1 shl BITS) or (1 shl 2 * BITS)

/** A pixel, from its numbers' sums over four. */
private fun mean(red: Int, green: Int, blue: Int): Int = mean(red + (green shl BITS) + (blue shl 2 * BITS))

private fun mean(sums: Int): Int = ((sums + 2 * EACH) ushr 2) and 255 * EACH

private fun put(pixel: Int, into: ByteArray, at: Int) {
    into[at] = pixel.toByte()
    into[at + 1] = (pixel shr BITS).toByte()
    into[at + 2] = (pixel shr 2 * BITS).toByte()
}
