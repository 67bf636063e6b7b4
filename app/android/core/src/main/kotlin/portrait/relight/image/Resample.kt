// SPDX-License-Identifier: Apache-2.0
/** Pictures at other sizes: averages over area, and bilinear interpolation. */
package portrait.relight

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/** Averages over area: for pictures that shrink. */
internal fun resizeArea(source: Rows, rows: Int, columns: Int): Raster {
    val line = FloatArray(source.columns * source.channels)
    return resizeArea(source, rows, columns) { row, across, into ->
        source.row(row, line)
        across.shrink(line, source.channels, into)
    }
}

/** The same of a photo, rounded to bytes. */
internal fun resizeArea(photo: Photo, rows: Int, columns: Int): Photo =
    Photo.rounded(resizeArea(photo, rows, columns) { row, across, into -> across.shrink(photo.rgb, row * photo.width * 3, into) })

private inline fun resizeArea(source: Rows, rows: Int, columns: Int, shrink: (Int, Overlaps, FloatArray) -> Unit): Raster {
    require(rows <= source.rows && columns <= source.columns) { "area averages only shrink" }
    val down = Overlaps(source.rows, rows)
    val across = Overlaps(source.columns, columns)
    val result = Raster(rows, columns, source.channels)
    val shrunk = FloatArray(columns * source.channels)
    var loaded = -1
    for (y in 0 until rows) {
        for (k in down.first[y] until down.first[y + 1]) {
            val row = down.start[y] + k - down.first[y]
            if (row != loaded) {
                loaded = row
                shrink(row, across, shrunk)
            }
            addTo(result.data, y * shrunk.size, shrunk, down.weights[k])
        }
    }
    return result
}

private fun addTo(sums: FloatArray, start: Int, line: FloatArray, share: Float) {
    for (i in line.indices) sums[start + i] += share * line[i]
}

/**
 * Which cells of a row of [from] each of [to] larger ones lies over, and how much of it each covers:
 * cell `i` begins with `start[i]`, and its weights, which sum to 1, with `first[i]`.
 */
private class Overlaps(from: Int, private val to: Int) {
    val start = IntArray(to)
    val first = IntArray(to + 1)
    val weights: FloatArray

    init {
        val scale = from.toDouble() / to
        var shares = DoubleArray(from + to)
        for (i in 0 until to) {
            val low = i * scale
            val high = min((i + 1) * scale, from.toDouble())
            start[i] = floor(low + 1e-9).toInt()
            val stop = max(start[i] + 1, min(from, -floor(-(high - 1e-9)).toInt()))
            first[i + 1] = first[i] + stop - start[i]
            if (first[i + 1] > shares.size) shares = shares.copyOf(2 * first[i + 1])
            var total = 0.0
            for (k in start[i] until stop) {
                val share = min(high, k + 1.0) - max(low, k.toDouble())
                shares[first[i] + k - start[i]] = share
                total += share
            }
            for (k in first[i] until first[i + 1]) shares[k] /= total
        }
        weights = FloatArray(first[to]) { shares[it].toFloat() }
    }

    /** Averages pixels of three bytes, from one on; between its ends a cell's all have one weight. */
    fun shrink(rgb: ByteArray, line: Int, into: FloatArray) {
        for (x in 0 until to) {
            val low = first[x]
            val high = first[x + 1] - 1
            var at = line + start[x] * 3
            var red = weights[low] * (rgb[at].toInt() and 255)
            var green = weights[low] * (rgb[at + 1].toInt() and 255)
            var blue = weights[low] * (rgb[at + 2].toInt() and 255)
            at += 3
            if (high > low) {
                var reds = 0
                var greens = 0
                var blues = 0
                for (k in low + 1 until high) {
                    reds += rgb[at].toInt() and 255
                    greens += rgb[at + 1].toInt() and 255
                    blues += rgb[at + 2].toInt() and 255
                    at += 3
                }
                red += weights[low + 1] * reds + weights[high] * (rgb[at].toInt() and 255)
                green += weights[low + 1] * greens + weights[high] * (rgb[at + 1].toInt() and 255)
                blue += weights[low + 1] * blues + weights[high] * (rgb[at + 2].toInt() and 255)
            }
            into[x * 3] = red
            into[x * 3 + 1] = green
            into[x * 3 + 2] = blue
        }
    }

    fun shrink(line: FloatArray, channels: Int, into: FloatArray) {
        if (channels == 3) return shrinkColors(line, into)
        for (x in 0 until to) {
            for (c in 0 until channels) {
                var sum = 0f
                var at = start[x] * channels + c
                for (k in first[x] until first[x + 1]) {
                    sum += weights[k] * line[at]
                    at += channels
                }
                into[x * channels + c] = sum
            }
        }
    }

    /** The same of three channels at once. */
    private fun shrinkColors(line: FloatArray, into: FloatArray) {
        for (x in 0 until to) {
            var red = 0f
            var green = 0f
            var blue = 0f
            var at = start[x] * 3
            for (k in first[x] until first[x + 1]) {
                val weight = weights[k]
                red += weight * line[at]
                green += weight * line[at + 1]
                blue += weight * line[at + 2]
                at += 3
            }
            into[x * 3] = red
            into[x * 3 + 1] = green
            into[x * 3 + 2] = blue
        }
    }
}

/**
 * Rows of a raster at another size: bilinear, pixel centres at half, edges repeated. For one thread.
 *
 * Each of its rows is widened once and kept while it is needed: between two of them, number by number,
 * is what compilers turn into vector instructions.
 *
 * @param seen columns that will be asked for; of others, nothing is promised.
 */
internal class Enlarged(
    private val source: Raster,
    override val rows: Int,
    override val columns: Int,
    private val seen: IntRange = 0 until columns,
) : Rows {
    override val channels: Int get() = source.channels
    private val down = Neighbours(source.rows, rows, 1)
    private val across = Neighbours(source.columns, columns, channels)
    private var upper = Wide(columns * channels)
    private var lower = Wide(columns * channels)
    private var part = 0f

    /** A row of the source, widened; the one with this [index]. */
    private class Wide(size: Int) {
        val line = FloatArray(size)
        var index = -1
    }

    override fun row(index: Int, into: FloatArray) {
        begin(index)
        copy(into, 0, columns)
    }

    /** Turns to a row. */
    fun begin(index: Int) {
        if (lower.index == down.first[index]) upper = lower.also { lower = upper }
        widen(down.first[index], upper)
        widen(down.second[index], lower)
        part = down.part[index]
    }

    /** Copies that row's columns from [start] until [stop] into their places in [into]. */
    fun copy(into: FloatArray, start: Int, stop: Int) {
        mix(upper.line, lower.line, part, into, start * channels, stop * channels)
    }

    private fun mix(upper: FloatArray, lower: FloatArray, part: Float, into: FloatArray, start: Int, stop: Int) {
        for (i in start until stop) into[i] = upper[i] + (lower[i] - upper[i]) * part
    }

    private fun widen(index: Int, wide: Wide) {
        if (wide.index == index) return
        wide.index = index
        val line = index * source.columns * channels
        if (channels == 3) {
            widenColors(source.data, line, wide.line)
        } else {
            for (c in 0 until channels) widenChannel(source.data, line + c, wide.line, c)
        }
    }

    /** Between two cells lie several places, so that their colours are read once for all of these. */
    private fun widenColors(from: FloatArray, line: Int, into: FloatArray) {
        val (first, second, part) = across
        var x = seen.first
        var k = 3 * x
        val end = 3 * (seen.last + 1)
        while (k < end) {
            val left = first[x]
            val right = second[x]
            val red = from[line + left]
            val green = from[line + left + 1]
            val blue = from[line + left + 2]
            val redder = from[line + right] - red
            val greener = from[line + right + 1] - green
            val bluer = from[line + right + 2] - blue
            do {
                val t = part[x]
                into[k] = red + redder * t
                into[k + 1] = green + greener * t
                into[k + 2] = blue + bluer * t
                x++
                k += 3
            } while (k < end && first[x] == left && second[x] == right)
        }
    }

    private fun widenChannel(from: FloatArray, line: Int, into: FloatArray, channel: Int) {
        val (first, second, part) = across
        var k = channel
        for (x in part.indices) {
            val left = from[line + first[x]]
            into[k] = left + (from[line + second[x]] - left) * part[x]
            k += channels
        }
    }
}

/** For each of [to] places along [from] cells the two cells beside it, times [stride], and how far between. */
private class Neighbours(from: Int, to: Int, stride: Int) {
    val first = IntArray(to)
    val second = IntArray(to)
    val part = FloatArray(to)

    init {
        val scale = from.toDouble() / to
        for (i in 0 until to) {
            val place = (i + 0.5) * scale - 0.5
            val whole = floor(place).toInt()
            first[i] = whole.coerceIn(0, from - 1) * stride
            second[i] = (whole + 1).coerceIn(0, from - 1) * stride
            part[i] = (place - whole).toFloat()
        }
    }

    operator fun component1(): IntArray = first

    operator fun component2(): IntArray = second

    operator fun component3(): FloatArray = part
}

/** Bilinear, pixel centres at half, edges repeated. */
internal fun resizeLinear(source: Raster, rows: Int, columns: Int): Raster {
    val result = Raster(rows, columns, source.channels)
    val reader = Enlarged(source, rows, columns)
    val line = FloatArray(columns * source.channels)
    for (y in 0 until rows) {
        reader.row(y, line)
        line.copyInto(result.data, y * line.size)
    }
    return result
}

/** Averages blocks of `factor x factor` cells; an incomplete last row or column is left out. */
internal fun shrink(image: Raster, factor: Int): Raster {
    if (factor == 1) return image
    val rows = max(1, image.rows / factor)
    val columns = max(1, image.columns / factor)
    val whole = Window(image, 0, 0, min(image.rows, rows * factor), min(image.columns, columns * factor))
    return resizeArea(whole, rows, columns)
}

/** The same of a picture, or a part of it, rounded to bytes; a single row or column stays one. */
internal fun shrink(photo: Photo, factor: Int, part: Box = Box(0, photo.rows, 0, photo.columns)): Photo {
    if (factor == 1) return photo
    val rows = max(1, part.rows / factor)
    val columns = max(1, part.columns / factor)
    if (part.rows >= factor && part.columns >= factor) return blocks(photo, part.left, part.top, factor, rows, columns)
    val strip = Window(photo, part.left, part.top, min(part.rows, rows * factor), min(part.columns, columns * factor))
    return Photo.rounded(resizeArea(strip, rows, columns))
}
