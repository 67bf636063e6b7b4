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
internal fun resizeLinear(source: Raster, rows: Int, columns: Int): Raster {
    val (down, across) = neighbours(source.rows, rows) to neighbours(source.columns, columns)
    val channels = source.channels
    val result = Raster(rows, columns, channels)
    val mixed = FloatArray(source.columns * channels)
    for ((y, row) in down.withIndex()) {
        val (upper, lower) = row.first * mixed.size to row.second * mixed.size
        for (i in mixed.indices) {
            mixed[i] = source.data[upper + i] + (source.data[lower + i] - source.data[upper + i]) * row.part
        }
        var k = y * columns * channels
        for (column in across) {
            val (left, right) = column.first * channels to column.second * channels
            for (c in 0 until channels) {
                result.data[k++] = mixed[left + c] + (mixed[right + c] - mixed[left + c]) * column.part
            }
        }
    }
    return result
}

/** Two cells and how far between their centres a place lies. */
private class Between(val first: Int, val second: Int, val part: Float)

private fun neighbours(from: Int, to: Int): List<Between> {
    val scale = from.toDouble() / to
    return List(to) {
        val place = (it + 0.5) * scale - 0.5
        val whole = floor(place).toInt()
        Between(whole.coerceIn(0, from - 1), (whole + 1).coerceIn(0, from - 1), (place - whole).toFloat())
    }
}

/**
 * A flat map `(a x + b y + c, d x + e y + f)` from places in one picture to those in another; pixel `j`
 * covers `[j, j + 1)` in both.
 */
internal class Affine(
    private val a: Double,
    private val b: Double,
    private val c: Double,
    private val d: Double,
    private val e: Double,
    private val f: Double,
) {
    fun x(x: Double, y: Double): Double = a * x + b * y + c

    fun y(x: Double, y: Double): Double = d * x + e * y + f

    /** First [other], then this. */
    operator fun times(other: Affine): Affine = Affine(
        a * other.a + b * other.d, a * other.b + b * other.e, x(other.c, other.f),
        d * other.a + e * other.d, d * other.b + e * other.e, y(other.c, other.f),
    )

    fun inverse(): Affine {
        val area = a * e - b * d
        val back = Affine(e / area, -b / area, 0.0, -d / area, a / area, 0.0)
        return back * shift(-c, -f)
    }

    companion object {
        fun shift(x: Double, y: Double): Affine = Affine(1.0, 0.0, x, 0.0, 1.0, y)

        fun scaling(x: Double, y: Double): Affine = Affine(x, 0.0, 0.0, 0.0, y, 0.0)
    }
}

/**
 * Draws a picture from another one, bilinear.
 *
 * @param map from places in the picture to those in [values].
 * @param outside value around [values]; null repeats their edges.
 */
internal fun warp(values: Raster, rows: Int, columns: Int, map: Affine, outside: Float? = null): Raster {
    val channels = values.channels
    val result = Raster(rows, columns, channels)
    var k = 0
    for (row in 0 until rows) {
        for (column in 0 until columns) {
            val x = map.x(column + 0.5, row + 0.5) - 0.5
            val y = map.y(column + 0.5, row + 0.5) - 0.5
            val (left, top) = floor(x).toInt() to floor(y).toInt()
            val (u, v) = (x - left).toFloat() to (y - top).toFloat()
            for (c in 0 until channels) {
                val upper = mixed(values, top, left, c, u, outside)
                val lower = mixed(values, top + 1, left, c, u, outside)
                result.data[k++] = upper + (lower - upper) * v
            }
        }
    }
    return result
}

/** Between a cell and the one to its right. */
private fun mixed(values: Raster, row: Int, column: Int, channel: Int, part: Float, outside: Float?): Float {
    val left = cell(values, row, column, channel, outside)
    return left + (cell(values, row, column + 1, channel, outside) - left) * part
}

private fun cell(values: Raster, row: Int, column: Int, channel: Int, outside: Float?): Float {
    val (y, x) = row.coerceIn(0, values.rows - 1) to column.coerceIn(0, values.columns - 1)
    return if (outside != null && (y != row || x != column)) outside else values[y, x, channel]
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
