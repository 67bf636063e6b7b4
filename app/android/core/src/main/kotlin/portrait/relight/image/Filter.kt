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

/** Mean over a square window of odd side. */
internal fun blur(image: Raster, side: Int, border: Border = Border.REFLECT_101): Raster {
    val reach = side / 2
    return eachAxis(image) { line, count, into ->
        var sum = 0.0
        for (k in -reach..reach) sum += line[border.cell(k, count)]
        for (i in 0 until count) {
            into[i] = (sum / side).toFloat()
            sum += line[border.cell(i + reach + 1, count)] - line[border.cell(i - reach, count)]
        }
    }
}

/** Gaussian blur of standard deviation [sigma] cells, cut off at four of them. */
internal fun gaussianBlur(image: Raster, sigma: Double, border: Border = Border.REFLECT_101): Raster {
    val side = round(sigma * 8 + 1).toInt() or 1
    val reach = side / 2
    val weights = DoubleArray(side) { exp(-(it - reach) * (it - reach) / (2 * sigma * sigma)) }
    val total = weights.sum()
    return eachAxis(image) { line, count, into ->
        for (i in 0 until count) {
            var sum = 0.0
            for (k in 0 until side) sum += weights[k] * line[border.cell(i + k - reach, count)]
            into[i] = (sum / total).toFloat()
        }
    }
}

/** Least number in a square window of odd side; what lies outside the picture does not count. */
internal fun erode(image: Raster, side: Int): Raster = extreme(image, side, ::min)

/** Largest number in a square window of odd side. */
internal fun dilate(image: Raster, side: Int): Raster = extreme(image, side, ::max)

private inline fun extreme(image: Raster, side: Int, choose: (Float, Float) -> Float): Raster =
    eachAxis(image) { line, count, into ->
        for (i in 0 until count) {
            var best = line[i]
            for (k in max(0, i - side / 2)..min(count - 1, i + side / 2)) best = choose(best, line[k])
            into[i] = best
        }
    }

/** Filters every row, then every column, channel by channel. */
private inline fun eachAxis(image: Raster, filter: (FloatArray, Int, FloatArray) -> Unit): Raster {
    val (rows, columns, channels) = Triple(image.rows, image.columns, image.channels)
    val result = Raster(rows, columns, channels, image.data.copyOf())
    val line = FloatArray(max(rows, columns))
    val filtered = FloatArray(max(rows, columns))
    for (horizontal in listOf(true, false)) {
        val count = if (horizontal) columns else rows
        val lines = if (horizontal) rows else columns
        val stride = if (horizontal) channels else columns * channels
        for (k in 0 until lines) {
            for (c in 0 until channels) {
                val start = (if (horizontal) k * columns else k) * channels + c
                for (i in 0 until count) line[i] = result.data[start + i * stride]
                filter(line, count, filtered)
                for (i in 0 until count) result.data[start + i * stride] = filtered[i]
            }
        }
    }
    return result
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
    val side = 2 * radius + 1
    fun mean(raster: Raster) = blur(raster, side, Border.REFLECT)
    val planes = List(3) { small.channel(it) }
    val means = planes.map(::mean)
    val signalMean = mean(signal)
    fun covariance(a: Raster, b: Raster, meanA: Raster, meanB: Raster): Raster =
        mean(a.zip(b) { x, y -> x * y }).zip(meanA.zip(meanB) { x, y -> x * y }) { x, y -> x - y }

    val pairs = listOf(0 to 0, 0 to 1, 0 to 2, 1 to 1, 1 to 2, 2 to 2)
    val own = pairs.map { (i, j) -> covariance(planes[i], planes[j], means[i], means[j]) }
    val cross = List(3) { covariance(planes[it], signal, means[it], signalMean) }
    val coefficients = Raster(rows, columns, 4)
    for (i in 0 until rows * columns) {
        val slope = slopes(FloatArray(6) { own[it].data[i] }, FloatArray(3) { cross[it].data[i] }, eps)
        var offset = signalMean.data[i]
        for (c in 0 until 3) {
            coefficients.data[i * 4 + c] = slope[c]
            offset -= slope[c] * means[c].data[i]
        }
        coefficients.data[i * 4 + 3] = offset
    }
    val smooth = mean(coefficients)
    val full = if (scale < 1) resizeLinear(smooth, guide.rows, guide.columns) else smooth
    return Raster(guide.rows, guide.columns, 1, FloatArray(guide.rows * guide.columns) {
        full.data[it * 4] * guide.data[it * 3] + full.data[it * 4 + 1] * guide.data[it * 3 + 1] +
            full.data[it * 4 + 2] * guide.data[it * 3 + 2] + full.data[it * 4 + 3]
    })
}

/**
 * Solves `(C + eps) a = v` for a symmetric C given as xx, xy, xz, yy, yz, zz.
 *
 * In doubles: where a picture is grey, the products cancel to the last digits of a float.
 */
private fun slopes(c: FloatArray, v: FloatArray, eps: Float): FloatArray {
    val (xx, yy, zz) = Triple(c[0].toDouble() + eps, c[3].toDouble() + eps, c[5].toDouble() + eps)
    val (xy, xz, yz) = Triple(c[1].toDouble(), c[2].toDouble(), c[4].toDouble())
    val ixx = yy * zz - yz * yz
    val ixy = xz * yz - xy * zz
    val ixz = xy * yz - xz * yy
    val iyy = xx * zz - xz * xz
    val iyz = xy * xz - xx * yz
    val izz = xx * yy - xy * xy
    val determinant = xx * ixx + xy * ixy + xz * ixz
    return floatArrayOf(
        ((ixx * v[0] + ixy * v[1] + ixz * v[2]) / determinant).toFloat(),
        ((ixy * v[0] + iyy * v[1] + iyz * v[2]) / determinant).toFloat(),
        ((ixz * v[0] + iyz * v[1] + izz * v[2]) / determinant).toFloat(),
    )
}
