// SPDX-License-Identifier: Apache-2.0
/** Pictures drawn from others that are turned, scaled and moved: bilinear. */
package portrait.relight

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

/** The largest whole number that is not above [value]. */
private fun below(value: Double): Int {
    val whole = value.toInt()
    return if (value < whole) whole - 1 else whole
}

/**
 * Draws a picture from another one.
 *
 * @param map from places in the picture to those in [values].
 * @param outside value around [values]; null repeats their edges.
 */
internal fun warp(values: Raster, rows: Int, columns: Int, map: Affine, outside: Float? = null): Raster {
    val result = Raster(rows, columns, values.channels)
    for (row in 0 until rows) warpLine(values, map, row, outside, result)
    return result
}

private fun warpLine(values: Raster, map: Affine, row: Int, outside: Float?, result: Raster) {
    val channels = values.channels
    val data = values.data
    val into = result.data
    val lastRow = values.rows - 1
    val lastColumn = values.columns - 1
    val line = values.columns * channels
    val firstX = map.x(0.5, row + 0.5) - 0.5
    val firstY = map.y(0.5, row + 0.5) - 0.5
    val stepX = map.x(1.5, row + 0.5) - 0.5 - firstX
    val stepY = map.y(1.5, row + 0.5) - 0.5 - firstY
    var k = row * result.columns * channels
    for (column in 0 until result.columns) {
        val x = firstX + column * stepX
        val y = firstY + column * stepY
        val left = below(x)
        val top = below(y)
        val u = (x - left).toFloat()
        val v = (y - top).toFloat()
        if (left >= 0 && top >= 0 && left < lastColumn && top < lastRow) {
            val at = top * line + left * channels
            if (channels == 1) {
                into[k] = between(data, at, 1, line, u, v)
            } else if (channels == 3) {
                into[k] = between(data, at, 3, line, u, v)
                into[k + 1] = between(data, at + 1, 3, line, u, v)
                into[k + 2] = between(data, at + 2, 3, line, u, v)
            } else {
                for (c in 0 until channels) into[k + c] = between(data, at + c, channels, line, u, v)
            }
        } else {
            for (c in 0 until channels) {
                val upper = mixed(values, top, left, c, u, outside)
                val lower = mixed(values, top + 1, left, c, u, outside)
                into[k + c] = upper + (lower - upper) * v
            }
        }
        k += channels
    }
}

/** Between a number, the next of its channel, and the two below them. */
private fun between(data: FloatArray, at: Int, next: Int, below: Int, u: Float, v: Float): Float {
    val low = at + below
    val upper = data[at] + (data[at + next] - data[at]) * u
    return upper + (data[low] + (data[low + next] - data[low]) * u - upper) * v
}

/** Between a cell and the one to its right. */
private fun mixed(values: Raster, row: Int, column: Int, channel: Int, part: Float, outside: Float?): Float {
    val left = cell(values, row, column, channel, outside)
    return left + (cell(values, row, column + 1, channel, outside) - left) * part
}

private fun cell(values: Raster, row: Int, column: Int, channel: Int, outside: Float?): Float {
    val y = row.coerceIn(0, values.rows - 1)
    val x = column.coerceIn(0, values.columns - 1)
    return if (outside != null && (y != row || x != column)) outside else values[y, x, channel]
}
