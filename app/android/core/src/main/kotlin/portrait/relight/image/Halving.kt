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
    val upper = Means(3 * columns)
    val lower = Means(3 * columns)
    for (y in 0 until rows) {
        val first = (part.top + 4 * y) * line + part.left * 3
        upper.load(photo.rgb, first, line)
        lower.load(photo.rgb, first + 2 * line, line)
        quarterLine(upper, lower, rgb, y * columns * 3)
    }
    return Photo(rows, columns, rgb)
}

/** A row of pixels, each of four means; each pixel of theirs is six bytes from the next. */
private fun quarterLine(upper: Means, lower: Means, into: ByteArray, to: Int) {
    upper.add(lower)
    val even = upper.even
    val odd = upper.odd
    var k = 0
    while (k < even.size) {
        val sides = even[k] + ((even[k + 1] ushr SECOND) or (even[k + 2] shl SECOND)) + HALF
        val middle = (odd[k] and FIRST) + (odd[k + 1] ushr SECOND) + 2
        into[to + k] = (sides shr 2).toByte()
        into[to + k + 1] = (middle shr 2).toByte()
        into[to + k + 2] = (sides shr SECOND + 2).toByte()
        k += 3
    }
}

/** A half for each of two sums over four, by which they are rounded. */
private const val HALF = 2 or (2 shl SECOND)

/** Means of a byte, the one three further on and those below both, at each byte of so many words of two rows. */
private class Means(private val words: Int) {
    /** Those at the bytes 0 and 2 of each four. */
    val even = IntArray(words)

    /** Those at the bytes 1 and 3. */
    val odd = IntArray(words)
    private val row = IntArray(words)
    private val below = IntArray(words)
    private val evenSums = IntArray(words)
    private val oddSums = IntArray(words)
    private val nextEven = IntArray(words)
    private val nextOdd = IntArray(words)

    /** Reads a row from a byte on, and that [line] bytes after it. */
    fun load(bytes: ByteArray, first: Int, line: Int) {
        readWords(bytes, first, row)
        readWords(bytes, first + line, below)
        sumEven(row, below, evenSums)
        sumOdd(row, below, oddSums)
        evenSums.copyInto(nextEven, 0, 1)
        oddSums.copyInto(nextOdd, 0, 1)
        meanEven(evenSums, oddSums, nextOdd, even)
        meanOdd(oddSums, nextEven, odd)
    }

    /** Adds those of two other rows. */
    fun add(other: Means) {
        sum(other.even, even)
        sum(other.odd, odd)
    }

    // Each loop by itself: only short ones become vector instructions.

    private fun sumEven(a: IntArray, b: IntArray, into: IntArray) {
        for (i in into.indices) into[i] = (a[i] and EACH) + (b[i] and EACH)
    }

    private fun sumOdd(a: IntArray, b: IntArray, into: IntArray) {
        for (i in into.indices) into[i] = ((a[i] ushr 8) and EACH) + ((b[i] ushr 8) and EACH)
    }

    private fun meanEven(even: IntArray, odd: IntArray, nextOdd: IntArray, into: IntArray) {
        for (i in into.indices) {
            into[i] = ((even[i] + ((odd[i] ushr SECOND) or (nextOdd[i] shl SECOND)) + HALF) ushr 2) and EACH
        }
    }

    private fun meanOdd(odd: IntArray, nextEven: IntArray, into: IntArray) {
        for (i in into.indices) into[i] = ((odd[i] + nextEven[i] + HALF) ushr 2) and EACH
    }

    private fun sum(from: IntArray, into: IntArray) {
        for (i in into.indices) into[i] += from[i]
    }
}

/** Averages blocks of 2 x 2 pixels from a place on, all of them within the photo. */
internal fun halve(photo: Photo, left: Int, top: Int, into: Photo) {
    val line = photo.width * 3
    for (y in 0 until into.rows) {
        halveLine(photo.rgb, (top + 2 * y) * line + left * 3, line, into.rgb, y * into.columns * 3, into.columns)
    }
}

private fun halveLine(from: ByteArray, first: Int, line: Int, into: ByteArray, to: Int, count: Int) {
    // It counts the bytes that it writes: those that it reads lie twice as far on, and of such places a
    // compiler knows without looking that they lie inside their array.
    val start = first - 2 * to
    val end = to + 3 * count
    var k = to
    while (k < end) {
        val at = start + 2 * k
        val low = at + line
        into[k] = mean(from, at, low).toByte()
        into[k + 1] = mean(from, at + 1, low + 1).toByte()
        into[k + 2] = mean(from, at + 2, low + 2).toByte()
        k += 3
    }
}

/** Of four bytes, three apart. */
private fun mean(from: ByteArray, at: Int, low: Int): Int = (
    (from[at].toInt() and 255) + (from[at + 3].toInt() and 255) +
        (from[low].toInt() and 255) + (from[low + 3].toInt() and 255) + 2
    ) shr 2
