// SPDX-License-Identifier: Apache-2.0
/** Pictures at other sizes: averages over area, and bilinear interpolation. */
package portrait.relight

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/** Averages over area: for pictures that shrink. */
internal fun resizeArea(source: Rows, rows: Int, columns: Int): Raster {
    require(rows <= source.rows && columns <= source.columns) { "area averages only shrink" }
    val channels = source.channels
    val across = overlaps(source.columns, columns)
    val result = Raster(rows, columns, channels)
    val line = FloatArray(source.columns * channels)
    val shrunk = FloatArray(columns * channels)
    var loaded = -1
    for ((y, span) in overlaps(source.rows, rows).withIndex()) {
        val base = y * columns * channels
        for ((k, share) in span.weights.withIndex()) {
            if (span.start + k != loaded) {
                loaded = span.start + k
                source.row(loaded, line)
                shrinkLine(line, across, channels, shrunk)
            }
            for (i in shrunk.indices) result.data[base + i] += share * shrunk[i]
        }
    }
    return result
}

/** Source cells from [start] on and their weights, which sum to 1. */
private class Span(val start: Int, val weights: FloatArray)

private fun overlaps(from: Int, to: Int): List<Span> {
    val scale = from.toDouble() / to
    return List(to) { i ->
        val low = i * scale
        val high = min((i + 1) * scale, from.toDouble())
        val start = floor(low + 1e-9).toInt()
        val stop = max(start + 1, min(from, -floor(-(high - 1e-9)).toInt()))
        val shares = DoubleArray(stop - start) {
            min(high, start + it + 1.0) - max(low, (start + it).toDouble())
        }
        val total = shares.sum()
        Span(start, FloatArray(shares.size) { (shares[it] / total).toFloat() })
    }
}

private fun shrinkLine(line: FloatArray, spans: List<Span>, channels: Int, into: FloatArray) {
    for ((x, span) in spans.withIndex()) {
        for (c in 0 until channels) {
            var sum = 0f
            for ((k, share) in span.weights.withIndex()) {
                sum += share * line[(span.start + k) * channels + c]
            }
            into[x * channels + c] = sum
        }
    }
}

/** Bilinear, pixel centres at half, edges repeated. */
internal fun resizeLinear(source: Rows, rows: Int, columns: Int): Raster =
    warp(source, rows, columns, Axis.whole(source.rows, rows), Axis.whole(source.columns, columns))

/** Cell `i` of the result lies at `scale * i + offset` of the source, both counted from centres. */
internal class Axis(private val scale: Double, private val offset: Double) {
    fun at(index: Int): Double = scale * index + offset

    companion object {
        /** All of [from] cells spread over [to]. */
        fun whole(from: Int, to: Int): Axis {
            val scale = from.toDouble() / to
            return Axis(scale, 0.5 * scale - 0.5)
        }
    }
}

/** Bilinear interpolation, each axis by itself; outside the source its edge repeats. */
internal fun warp(source: Rows, rows: Int, columns: Int, down: Axis, across: Axis): Raster {
    val channels = source.channels
    val left = IntArray(columns)
    val right = IntArray(columns)
    val part = FloatArray(columns)
    for (x in 0 until columns) {
        val u = across.at(x)
        val whole = floor(u).toInt()
        left[x] = whole.coerceIn(0, source.columns - 1) * channels
        right[x] = (whole + 1).coerceIn(0, source.columns - 1) * channels
        part[x] = (u - whole).toFloat()
    }
    val result = Raster(rows, columns, channels)
    var upper = FloatArray(source.columns * channels)
    var lower = FloatArray(source.columns * channels)
    var above = -1
    var below = -1
    for (y in 0 until rows) {
        val v = down.at(y)
        val whole = floor(v).toInt()
        val first = whole.coerceIn(0, source.rows - 1)
        val second = (whole + 1).coerceIn(0, source.rows - 1)
        if (first == below && first != above) {
            val swap = upper
            upper = lower
            lower = swap
            above = below
            below = -1
        }
        if (first != above) source.row(first, upper)
        if (second != below) source.row(second, lower)
        above = first
        below = second
        val t = (v - whole).toFloat()
        var k = y * columns * channels
        for (x in 0 until columns) {
            for (c in 0 until channels) {
                val high = upper[left[x] + c] + (upper[right[x] + c] - upper[left[x] + c]) * part[x]
                val low = lower[left[x] + c] + (lower[right[x] + c] - lower[left[x] + c]) * part[x]
                result.data[k++] = high + (low - high) * t
            }
        }
    }
    return result
}

/** Averages blocks of `factor x factor` cells; an incomplete last row or column is left out. */
internal fun shrink(image: Raster, factor: Int): Raster {
    if (factor == 1) return image
    val rows = max(1, image.rows / factor)
    val columns = max(1, image.columns / factor)
    return resizeArea(whole(image, rows, columns, factor), rows, columns)
}

/** The same of a picture, rounded to bytes. */
internal fun shrink(photo: Photo, factor: Int): Photo {
    if (factor == 1) return photo
    val rows = max(1, photo.rows / factor)
    val columns = max(1, photo.columns / factor)
    return Photo.rounded(resizeArea(whole(photo, rows, columns, factor), rows, columns))
}

private fun whole(source: Rows, rows: Int, columns: Int, factor: Int): Rows =
    Window(source, 0, 0, min(source.rows, rows * factor), min(source.columns, columns * factor))
