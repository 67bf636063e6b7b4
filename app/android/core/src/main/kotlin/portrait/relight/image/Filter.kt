// SPDX-License-Identifier: Apache-2.0
/**
 * Neighbourhood filters.
 *
 * Reference: He et al. 2013, "Guided Image Filtering"; He & Sun 2015, "Fast Guided Filter".
 */
package portrait.relight

import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round

/** What lies past an edge. */
internal enum class Border {
    /** The edge cell again and again. */
    REPLICATE,

    /** The picture mirrored at the edge: `cba|abc`. */
    REFLECT,

    /** The picture mirrored at the centre of the edge cell: `cb|abc`. */
    REFLECT_101,
    ;

    /** The cell inside `0 until count` that stands for cell [index]. */
    fun cell(index: Int, count: Int): Int {
        if (this == REPLICATE || count == 1) return index.coerceIn(0, count - 1)
        var i = index
        val twice = if (this == REFLECT) 1 else 0
        while (i < 0 || i >= count) i = if (i < 0) -i - twice else 2 * count - 2 + twice - i
        return i
    }
}

/** For each place from `-reach` on the cell that stands for it, times [stride]. */
private fun Border.cells(count: Int, reach: Int, stride: Int = 1): IntArray =
    IntArray(count + 2 * reach) { cell(it - reach, count) * stride }

/** Mean over a square window of odd side. */
internal fun blur(image: Raster, side: Int, border: Border = Border.REFLECT_101): Raster =
    blurDown(blurAcross(image, side, border), side, border)

private fun blurAcross(image: Raster, side: Int, border: Border): Raster {
    val channels = image.channels
    val width = image.columns * channels
    val padding = Padding(image, side / 2, border)
    val result = Raster(image.rows, image.columns, channels)
    for (row in 0 until image.rows) {
        val line = padding.line(row)
        if (channels == 3) {
            blurColors(line, side, result.data, row * width, width)
        } else {
            for (c in 0 until channels) blurLine(line, c, channels, side, result.data, row * width, width)
        }
    }
    return result
}

/** Rows of a raster with [reach] cells more at both ends. */
private class Padding(private val image: Raster, private val reach: Int, border: Border) {
    private val channels = image.channels
    private val cells = border.cells(image.columns, reach, channels)
    private val padded = FloatArray(cells.size * channels)

    /** One row; good until the next. */
    fun line(row: Int): FloatArray {
        val start = row * image.columns * channels
        image.data.copyInto(padded, reach * channels, start, start + image.columns * channels)
        for (k in 0 until reach) {
            val end = cells.size - 1 - k
            for (c in 0 until channels) {
                padded[k * channels + c] = image.data[start + cells[k] + c]
                padded[end * channels + c] = image.data[start + cells[end] + c]
            }
        }
        return padded
    }
}

/** Means along a line of one [channel], whose numbers stand [stride] apart; [count] numbers are between its ends. */
private fun blurLine(from: FloatArray, channel: Int, stride: Int, side: Int, into: FloatArray, to: Int, count: Int) {
    val share = 1.0 / side
    val ahead = side * stride
    var sum = 0.0
    var next = channel
    while (next < ahead) {
        sum += from[next]
        next += stride
    }
    into[to + channel] = (sum * share).toFloat()
    var k = channel
    while (k < count - stride) {
        sum += from[k + ahead] - from[k]
        into[to + k + stride] = (sum * share).toFloat()
        k += stride
    }
}

/** The same of three channels at once: none waits for another's sum. */
private fun blurColors(from: FloatArray, side: Int, into: FloatArray, to: Int, count: Int) {
    val share = 1.0 / side
    val ahead = 3 * side
    var red = 0.0
    var green = 0.0
    var blue = 0.0
    var next = 0
    while (next < ahead) {
        red += from[next]
        green += from[next + 1]
        blue += from[next + 2]
        next += 3
    }
    into[to] = (red * share).toFloat()
    into[to + 1] = (green * share).toFloat()
    into[to + 2] = (blue * share).toFloat()
    var k = 0
    while (k < count - 3) {
        red += from[k + ahead] - from[k]
        green += from[k + ahead + 1] - from[k + 1]
        blue += from[k + ahead + 2] - from[k + 2]
        into[to + k + 3] = (red * share).toFloat()
        into[to + k + 4] = (green * share).toFloat()
        into[to + k + 5] = (blue * share).toFloat()
        k += 3
    }
}

private fun blurDown(image: Raster, side: Int, border: Border): Raster {
    val width = image.columns * image.channels
    val cells = border.cells(image.rows, side / 2, width)
    val result = Raster(image.rows, image.columns, image.channels)
    val sums = DoubleArray(width)
    for (k in 0 until side) addTo(sums, 1.0, image.data, cells[k])
    roundTo(sums, 1.0 / side, result.data, 0)
    for (k in side until cells.size) {
        moveOn(sums, image.data, cells[k], cells[k - side], 1.0 / side, result.data, (k - side + 1) * width)
    }
    return result
}

private fun addTo(sums: DoubleArray, weight: Double, from: FloatArray, line: Int) {
    for (i in sums.indices) sums[i] += weight * from[line + i]
}

/** Adds the line from [next] on to sums, takes that from [last] on away, and writes their [share] to one. */
private fun moveOn(
    sums: DoubleArray,
    from: FloatArray,
    next: Int,
    last: Int,
    share: Double,
    into: FloatArray,
    line: Int,
) {
    for (i in sums.indices) {
        val sum = sums[i] + (from[next + i] - from[last + i])
        sums[i] = sum
        into[line + i] = (sum * share).toFloat()
    }
}

private fun roundTo(sums: DoubleArray, share: Double, into: FloatArray, line: Int) {
    for (i in sums.indices) into[line + i] = (sums[i] * share).toFloat()
}

/** Gaussian blur of standard deviation [sigma] cells, cut off at four of them. */
internal fun gaussianBlur(image: Raster, sigma: Double, border: Border = Border.REFLECT_101): Raster {
    val side = round(sigma * 8 + 1).toInt() or 1
    val reach = side / 2
    val weights = DoubleArray(side) { exp(-(it - reach) * (it - reach) / (2 * sigma * sigma)) }
    val total = weights.sum()
    val channels = image.channels
    val width = image.columns * channels
    val (padding, down) = Padding(image, reach, border) to border.cells(image.rows, reach, width)
    val (between, into) = FloatArray(image.data.size) to FloatArray(image.data.size)
    val sums = DoubleArray(width)
    for (row in 0 until image.rows) {
        val line = padding.line(row)
        sums.fill(0.0)
        for (k in 0 until side) addTo(sums, weights[k], line, k * channels)
        roundTo(sums, 1 / total, between, row * width)
    }
    for (row in 0 until image.rows) {
        sums.fill(0.0)
        for (k in 0 until side) addTo(sums, weights[k], between, down[row + k])
        roundTo(sums, 1 / total, into, row * width)
    }
    return Raster(image.rows, image.columns, channels, into)
}

/** Least number in a square window of odd side; what lies outside the picture does not count. */
internal fun erode(image: Raster, side: Int): Raster = extreme(image, side, Float.POSITIVE_INFINITY, ::min)

/** Largest number in a square window of odd side. */
internal fun dilate(image: Raster, side: Int): Raster = extreme(image, side, Float.NEGATIVE_INFINITY, ::max)

/** Windows of twice the width are made of two, until two that overlap make the one that is wanted. */
private inline fun extreme(image: Raster, side: Int, outside: Float, choose: (Float, Float) -> Float): Raster {
    val (rows, columns, channels) = Triple(image.rows, image.columns, image.channels)
    val reach = side / 2 * channels
    val width = columns * channels
    val line = FloatArray(width + 2 * reach)
    val tall = FloatArray((rows + side / 2 * 2) * width)
    val moved = FloatArray(max(line.size, tall.size))
    tall.fill(outside)
    for (row in 0 until rows) {
        line.fill(outside)
        image.data.copyInto(line, reach, row * width, (row + 1) * width)
        widen(line, moved, channels, side, choose)
        line.copyInto(tall, (row + side / 2) * width, 0, width)
    }
    widen(tall, moved, width, side, choose)
    return Raster(rows, columns, channels, tall.copyOf(rows * width))
}

/**
 * Each number becomes the extreme of [side], [stride] apart, from its own place on.
 *
 * @param moved at least as long as [line]: both are read at one place, which compilers make vectors of.
 */
private inline fun widen(line: FloatArray, moved: FloatArray, stride: Int, side: Int, choose: (Float, Float) -> Float) {
    var span = 1
    while (span < side) {
        val more = min(span, side - span)
        val count = line.size - more * stride
        line.copyInto(moved, 0, more * stride, line.size)
        for (i in 0 until count) line[i] = choose(line[i], moved[i])
        span += more
    }
}

/**
 * Lets values change where the colours of a picture do.
 *
 * @param guide three channels in [0, 1].
 * @param values one channel, of the same size.
 * @param radius half the window's side, in cells of the picture scaled by [scale].
 * @param eps variance of the guide that counts as an edge.
 * @param scale at which the filter's coefficients are found, <= 1.
 */
internal fun guidedFilter(guide: Raster, values: Raster, radius: Int, eps: Float, scale: Double): Raster {
    val rows = max(1, round(guide.rows * scale).toInt())
    val columns = max(1, round(guide.columns * scale).toInt())
    val small = if (scale < 1) resizeLinear(guide, rows, columns) else guide
    val signal = if (scale < 1) resizeLinear(values, rows, columns) else values
    val moments = Raster(rows, columns, MOMENTS)
    for (i in 0 until rows * columns) products(small.data, signal.data[i], i, moments.data)
    val mean = blur(moments, 2 * radius + 1, Border.REFLECT).data
    val coefficients = Raster(rows, columns, 4)
    for (i in 0 until rows * columns) fitCell(mean, i * MOMENTS, eps, coefficients.data, i * 4)
    val smooth = Enlarged(blur(coefficients, 2 * radius + 1, Border.REFLECT), guide.rows, guide.columns)
    val result = Raster(guide.rows, guide.columns, 1)
    val line = FloatArray(guide.columns * 4)
    val colors = guide.data
    for (y in 0 until guide.rows) {
        smooth.row(y, line)
        follow(line, colors, y * guide.columns, result.data)
    }
    return result
}

/** Writes what a row's coefficients make of its colours, from cell [first] on. */
private fun follow(coefficients: FloatArray, colors: FloatArray, first: Int, into: FloatArray) {
    var to = first
    var color = first * 3
    var at = 0
    while (at < coefficients.size) {
        into[to++] = coefficients[at] * colors[color] + coefficients[at + 1] * colors[color + 1] +
            coefficients[at + 2] * colors[color + 2] + coefficients[at + 3]
        color += 3
        at += 4
    }
}

/** A cell's three colours, the signal, their six products with each other, and three with the signal. */
internal const val MOMENTS = 13

/** Writes a cell's moments, from its colours and its signal. */
internal fun products(colors: FloatArray, signal: Float, cell: Int, into: FloatArray) {
    val at = cell * MOMENTS
    val red = colors[cell * 3]
    val green = colors[cell * 3 + 1]
    val blue = colors[cell * 3 + 2]
    into[at] = red
    into[at + 1] = green
    into[at + 2] = blue
    into[at + 3] = signal
    into[at + 4] = red * red
    into[at + 5] = red * green
    into[at + 6] = red * blue
    into[at + 7] = green * green
    into[at + 8] = green * blue
    into[at + 9] = blue * blue
    into[at + 10] = red * signal
    into[at + 11] = green * signal
    into[at + 12] = blue * signal
}

/**
 * Writes the three slopes and the offset that fit the signal best: solves `(C + eps) a = v`, C and v the
 * covariances of the colours and with the signal.
 *
 * In doubles: where a picture is grey, the products cancel to the last digits of a float.
 */
internal fun fitCell(mean: FloatArray, at: Int, eps: Float, into: FloatArray, to: Int) {
    val red = mean[at]
    val green = mean[at + 1]
    val blue = mean[at + 2]
    val signal = mean[at + 3]
    val xx = (mean[at + 4] - red * red).toDouble() + eps
    val xy = (mean[at + 5] - red * green).toDouble()
    val xz = (mean[at + 6] - red * blue).toDouble()
    val yy = (mean[at + 7] - green * green).toDouble() + eps
    val yz = (mean[at + 8] - green * blue).toDouble()
    val zz = (mean[at + 9] - blue * blue).toDouble() + eps
    val x = mean[at + 10] - red * signal
    val y = mean[at + 11] - green * signal
    val z = mean[at + 12] - blue * signal
    val ixx = yy * zz - yz * yz
    val ixy = xz * yz - xy * zz
    val ixz = xy * yz - xz * yy
    val iyy = xx * zz - xz * xz
    val iyz = xy * xz - xx * yz
    val izz = xx * yy - xy * xy
    val scale = 1 / (xx * ixx + xy * ixy + xz * ixz)
    val a = ((ixx * x + ixy * y + ixz * z) * scale).toFloat()
    val b = ((ixy * x + iyy * y + iyz * z) * scale).toFloat()
    val c = ((ixz * x + iyz * y + izz * z) * scale).toFloat()
    into[to] = a
    into[to + 1] = b
    into[to + 2] = c
    into[to + 3] = signal - a * red - b * green - c * blue
}
