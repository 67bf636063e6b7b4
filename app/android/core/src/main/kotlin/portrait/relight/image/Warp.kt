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
    var k = row * result.columns * channels
    for (column in 0 until result.columns) {
        val x = map.x(column + 0.5, row + 0.5) - 0.5
        val y = map.y(column + 0.5, row + 0.5) - 0.5
        val left = below(x)
        val top = below(y)
        val u = (x - left).toFloat()
        val v = (y - top).toFloat()
        if (left >= 0 && top >= 0 && left < lastColumn && top < lastRow) {
            var at = top * line + left * channels
            for (c in 0 until channels) {
                val upper = data[at] + (data[at + channels] - data[at]) * u
                val lower = data[at + line] + (data[at + line + channels] - data[at + line]) * u
                into[k++] = upper + (lower - upper) * v
                at++
            }
        } else {
            for (c in 0 until channels) {
                val upper = mixed(values, top, left, c, u, outside)
                val lower = mixed(values, top + 1, left, c, u, outside)
                into[k++] = upper + (lower - upper) * v
            }
        }
    }
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

/**
 * Draws a square picture from a part of a photo, whose edges repeat, rounded to bytes.
 *
 * Where that part is halved first, only what the picture shows of it is averaged.
 *
 * @param halved whether `2 x 2` pixels of [part] are averaged and rounded first; an incomplete last row or
 *   column is left out.
 * @param map from places in the picture to those in the part, halved or not.
 */
internal fun draw(photo: Photo, part: Box, halved: Boolean, side: Int, map: Affine): Photo {
    val rgb = ByteArray(side * side * 3)
    for (row in 0 until side) if (halved) drawHalved(photo, part, map, row, side, rgb) else drawLine(photo, part, map, row, side, rgb)
    return Photo(side, side, rgb)
}

private fun drawLine(photo: Photo, part: Box, map: Affine, row: Int, side: Int, into: ByteArray) {
    val line = photo.width * 3
    val origin = part.top * line + part.left * 3
    val rgb = photo.rgb
    var k = row * side * 3
    for (column in 0 until side) {
        val x = map.x(column + 0.5, row + 0.5) - 0.5
        val y = map.y(column + 0.5, row + 0.5) - 0.5
        val left = below(x)
        val top = below(y)
        val u = (x - left).toFloat()
        val v = (y - top).toFloat()
        val upper = origin + inside(top, part.rows) * line
        val lower = origin + inside(top + 1, part.rows) * line
        val near = inside(left, part.columns) * 3
        val far = inside(left + 1, part.columns) * 3
        for (c in 0 until 3) {
            val a = (rgb[upper + near + c].toInt() and 255).toFloat()
            val b = (rgb[upper + far + c].toInt() and 255).toFloat()
            val d = (rgb[lower + near + c].toInt() and 255).toFloat()
            val e = (rgb[lower + far + c].toInt() and 255).toFloat()
            val above = a + (b - a) * u
            into[k++] = (above + (d + (e - d) * u - above) * v + 0.5f).toInt().toByte()
        }
    }
}

/** The same of a part that is halved on the way: each of the four numbers is the mean of four. */
private fun drawHalved(photo: Photo, part: Box, map: Affine, row: Int, side: Int, into: ByteArray) {
    val line = photo.width * 3
    val origin = part.top * line + part.left * 3
    val rows = part.rows / 2
    val columns = part.columns / 2
    val rgb = photo.rgb
    var k = row * side * 3
    for (column in 0 until side) {
        val x = map.x(column + 0.5, row + 0.5) - 0.5
        val y = map.y(column + 0.5, row + 0.5) - 0.5
        val left = below(x)
        val top = below(y)
        val u = (x - left).toFloat()
        val v = (y - top).toFloat()
        val upper = origin + inside(top, rows) * 2 * line
        val lower = origin + inside(top + 1, rows) * 2 * line
        val near = inside(left, columns) * 6
        val far = inside(left + 1, columns) * 6
        for (c in 0 until 3) {
            val a = mean(rgb, upper + near + c, line)
            val b = mean(rgb, upper + far + c, line)
            val d = mean(rgb, lower + near + c, line)
            val e = mean(rgb, lower + far + c, line)
            val above = a + (b - a) * u
            into[k++] = (above + (d + (e - d) * u - above) * v + 0.5f).toInt().toByte()
        }
    }
}

private fun inside(index: Int, count: Int): Int = if (index < 0) 0 else if (index >= count) count - 1 else index

/** Of four pixels, rounded. */
private fun mean(rgb: ByteArray, at: Int, line: Int): Float {
    val upper = (rgb[at].toInt() and 255) + (rgb[at + 3].toInt() and 255)
    val lower = (rgb[at + line].toInt() and 255) + (rgb[at + line + 3].toInt() and 255)
    return ((upper + lower + 2) shr 2).toFloat()
}
