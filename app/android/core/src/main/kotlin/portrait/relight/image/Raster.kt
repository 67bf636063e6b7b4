// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/** Numbers on a grid, read row by row. */
public interface Rows {
    public val rows: Int
    public val columns: Int
    public val channels: Int

    /** Copies a row into the beginning of [into], channels interleaved. */
    public fun row(index: Int, into: FloatArray)
}

/**
 * Floats on a grid.
 *
 * @property data row by row, channels interleaved: `rows * columns * channels` numbers.
 */
public class Raster @JvmOverloads constructor(
    override val rows: Int,
    override val columns: Int,
    override val channels: Int,
    public val data: FloatArray = FloatArray(rows * columns * channels),
) : Rows {
    init {
        require(data.size == rows * columns * channels) {
            "$rows x $columns x $channels are not ${data.size} numbers"
        }
    }

    override fun row(index: Int, into: FloatArray) {
        val width = columns * channels
        data.copyInto(into, 0, index * width, (index + 1) * width)
    }

    /** The number at a cell. */
    @JvmOverloads
    public operator fun get(row: Int, column: Int, channel: Int = 0): Float =
        data[(row * columns + column) * channels + channel]

    /** A raster of the same size, each number changed. */
    public inline fun map(change: (Float) -> Float): Raster =
        Raster(rows, columns, channels, FloatArray(data.size) { change(data[it]) })

    /** Number by number with another of the same size. */
    public inline fun zip(other: Raster, join: (Float, Float) -> Float): Raster {
        require(data.size == other.data.size) { "rasters of different sizes" }
        return Raster(rows, columns, channels, FloatArray(data.size) { join(data[it], other.data[it]) })
    }

    /** Each channel times the number of [weight], which has one channel. */
    public fun weighted(weight: Raster): Raster {
        require(weight.channels == 1 && weight.data.size * channels == data.size)
        val result = Raster(rows, columns, channels)
        if (channels == 3) {
            weighColors(weight.data, result.data)
        } else {
            for (c in 0 until channels) weigh(weight.data, c, result.data)
        }
        return result
    }

    private fun weighColors(weight: FloatArray, into: FloatArray) {
        var cell = 0
        var k = 0
        while (k < into.size) {
            val share = weight[cell++]
            into[k] = data[k] * share
            into[k + 1] = data[k + 1] * share
            into[k + 2] = data[k + 2] * share
            k += 3
        }
    }

    private fun weigh(weight: FloatArray, channel: Int, into: FloatArray) {
        var k = channel
        for (share in weight) {
            into[k] = data[k] * share
            k += channels
        }
    }

    /** Each row from right to left. */
    internal fun mirrored(): Raster {
        val result = Raster(rows, columns, channels)
        for (cell in 0 until rows * columns) {
            val from = (cell + columns - 1 - 2 * (cell % columns)) * channels
            data.copyInto(result.data, cell * channels, from, from + channels)
        }
        return result
    }

    /** One channel by itself. */
    public fun channel(index: Int): Raster =
        Raster(rows, columns, 1, FloatArray(rows * columns) { data[it * channels + index] })
}

/**
 * A picture: sRGB bytes, red, green, blue, row by row.
 *
 * @property height rows.
 * @property width columns.
 * @property rgb `height * width * 3` bytes, unsigned.
 */
public class Photo(public val height: Int, public val width: Int, public val rgb: ByteArray) : Rows {
    init {
        require(height > 0 && width > 0 && rgb.size == height * width * 3) {
            "$height x $width pixels are not ${rgb.size} bytes"
        }
    }

    override val rows: Int get() = height
    override val columns: Int get() = width
    override val channels: Int get() = 3

    /** Copies a row as numbers from 0 to 255. */
    override fun row(index: Int, into: FloatArray) {
        val start = index * width * 3
        for (i in 0 until width * 3) into[i] = (rgb[start + i].toInt() and 255).toFloat()
    }

    /** The same picture with pixels of its own. */
    internal fun copy(): Photo = Photo(height, width, rgb.copyOf())

    /** The picture as encoded sRGB in [0, 1], three channels. */
    public fun toRaster(): Raster =
        Raster(height, width, 3, FloatArray(rgb.size) { LEVELS[rgb[it].toInt() and 255] })

    /** The picture as `0xAARRGGBB`, opaque, row by row, as Android's bitmaps have it. */
    public fun toArgb(): IntArray = IntArray(height * width) {
        val i = it * 3
        (255 shl 24) or ((rgb[i].toInt() and 255) shl 16) or
            ((rgb[i + 1].toInt() and 255) shl 8) or (rgb[i + 2].toInt() and 255)
    }

    public companion object {
        /** From `0xAARRGGBB`, row by row; alpha is left out. */
        @JvmStatic
        public fun fromArgb(height: Int, width: Int, argb: IntArray): Photo {
            val rgb = ByteArray(height * width * 3)
            for (i in 0 until height * width) {
                rgb[i * 3] = (argb[i] shr 16).toByte()
                rgb[i * 3 + 1] = (argb[i] shr 8).toByte()
                rgb[i * 3 + 2] = argb[i].toByte()
            }
            return Photo(height, width, rgb)
        }

        /** From numbers in [0, 255] of three channels, rounded. */
        internal fun rounded(values: Raster): Photo = Photo(
            values.rows,
            values.columns,
            ByteArray(values.data.size) { (values.data[it] + 0.5f).toInt().coerceIn(0, 255).toByte() },
        )
    }
}

/** A rectangle of a picture as a picture of its own; past the border of [source] its edge repeats. */
internal class Window(
    private val source: Rows,
    private val left: Int,
    private val top: Int,
    override val rows: Int,
    override val columns: Int,
) : Rows {
    override val channels: Int get() = source.channels
    private val line = FloatArray(source.columns * source.channels)

    override fun row(index: Int, into: FloatArray) {
        source.row((top + index).coerceIn(0, source.rows - 1), line)
        for (x in 0 until columns) {
            val from = (left + x).coerceIn(0, source.columns - 1) * channels
            for (c in 0 until channels) into[x * channels + c] = line[from + c]
        }
    }
}
