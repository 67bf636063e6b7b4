// SPDX-License-Identifier: Apache-2.0
/**
 * The key gain: what a key light adds, as a fraction of what is there; and applying it.
 *
 * `Y = X (1 - (1 - f) w + sum_i k_i c_i G_i)` in linear light, f the share of the existing light that
 * stays on the person and w the person's mask. Y / X is Google's quotient image; written this way,
 * strength 0 is the photo bit for bit, intensity, colour and fill are free once G is known, and several
 * lights add up as light does.
 *
 * Reference: Google, "Portrait Light" (2020), section on the quotient image.
 */
package portrait.relight

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import portrait.relight.Constants.Apply.KNEE
import portrait.relight.Constants.Apply.PALING
import portrait.relight.Constants.Apply.TINY

/**
 * Gain on a regular grid over part of a photo, zero elsewhere.
 *
 * @property left photo column of the grid's left edge.
 * @property top photo row of its upper edge.
 * @property factor photo pixels per grid cell, a whole number.
 * @property gain three channels >= 0; its last row and column may reach past the photo.
 */
public class GainMap(public val left: Int, public val top: Int, public val factor: Int, public val gain: Raster) {
    /** The gain at every pixel of a photo: three channels. */
    public fun expand(height: Int, width: Int): Raster {
        val result = Raster(height, width, 3)
        val reader = Enlarged(gain, factor)
        val line = FloatArray(gain.columns * factor * 3)
        val count = min(width - left, gain.columns * factor) * 3
        for (y in 0 until min(height - top, gain.rows * factor)) {
            reader.row(y, line)
            line.copyInto(result.data, ((top + y) * width + left) * 3, 0, count)
        }
        return result
    }
}

/** Rows of a raster at [factor] times its size, bilinear. */
private class Enlarged(private val grid: Raster, private val factor: Int) : Rows {
    override val rows: Int get() = grid.rows * factor
    override val columns: Int get() = grid.columns * factor
    override val channels: Int get() = grid.channels
    private val mixed = FloatArray(grid.columns * channels)

    override fun row(index: Int, into: FloatArray) {
        val width = grid.columns * channels
        val v = (index + 0.5f) / factor - 0.5f
        val whole = floor(v).toInt()
        val upper = whole.coerceIn(0, grid.rows - 1) * width
        val lower = (whole + 1).coerceIn(0, grid.rows - 1) * width
        val t = v - whole
        for (i in 0 until width) mixed[i] = grid.data[upper + i] + (grid.data[lower + i] - grid.data[upper + i]) * t
        for (x in 0 until columns) {
            val u = (x + 0.5f) / factor - 0.5f
            val start = floor(u).toInt()
            val left = start.coerceIn(0, grid.columns - 1) * channels
            val right = (start + 1).coerceIn(0, grid.columns - 1) * channels
            for (c in 0 until channels) {
                into[x * channels + c] = mixed[left + c] + (mixed[right + c] - mixed[left + c]) * (u - start)
            }
        }
    }
}

/**
 * Multiplies a photo by `1 - min(strength, 1) * taken + strength * added` in linear light.
 *
 * Highlights above [KNEE] get a shoulder: before rounding they approach white and never reach it. A
 * pixel of which nothing is taken and to which nothing is added keeps its value exactly.
 *
 * @param photo is not changed.
 * @param added `sum_i k_i c_i G_i`.
 * @param strength factor on what is taken and added, >= 0; more than all cannot be taken.
 * @param threads rows are shared between so many threads.
 * @param taken share in [0, 1) of the existing light that is taken away, one channel on the cells of
 *   [added]; null takes nothing.
 */
public fun apply(
    photo: Photo,
    added: GainMap,
    strength: Double = 1.0,
    threads: Int = 1,
    taken: Raster? = null,
): Photo {
    val result = photo.copy()
    val dimming = taken?.takeIf { share -> share.data.any { it != 0f } }
    if (strength == 0.0 || (dimming == null && added.gain.data.all { it == 0f })) return result
    val kept = dimming?.map { 1 - min(strength, 1.0).toFloat() * it }
    val gain = added.gain.run {
        Raster(rows, columns, 3, FloatArray(data.size) { (kept?.data?.get(it / 3) ?: 1f) + strength.toFloat() * data[it] })
    }
    val gains = Factor(gain, added.factor, threads)
    val dims = kept?.let { Factor(it, added.factor, threads) }
    val rows = min(photo.height - added.top, added.gain.rows * added.factor)
    val columns = min(photo.width - added.left, added.gain.columns * added.factor)
    shareRows(rows, threads) { range ->
        val lit = FactorReader(gains)
        val dim = dims?.let { FactorReader(it) }
        val pixel = FloatArray(6)
        for (y in range) {
            lit.row(y)
            dim?.row(y)
            var at = ((added.top + y) * photo.width + added.left) * 3
            for (x in 0 until columns) {
                relit(result.rgb, at, x, lit, dim, pixel)
                at += 3
            }
        }
    }
    return result
}

/** A factor on linear light, on cells, and the same for encoded values. */
private class Factor(val linear: Raster, val step: Int, threads: Int) {
    val encoded = Raster(linear.rows, linear.columns, linear.channels)

    init {
        val width = linear.columns * linear.channels
        shareRows(linear.rows, threads) { range ->
            for (i in range.first * width until (range.last + 1) * width) {
                encoded.data[i] = if (linear.data[i] == 1f) 1f else encodedGain(linear.data[i])
            }
        }
    }
}

/** A factor's rows at the photo's resolution; for one thread. */
private class FactorReader(factor: Factor) {
    private val linearRows = Enlarged(factor.linear, factor.step)
    private val encodedRows = Enlarged(factor.encoded, factor.step)
    val linear = FloatArray(linearRows.columns * linearRows.channels)
    val encoded = FloatArray(linear.size)

    fun row(index: Int) {
        linearRows.row(index, linear)
        encodedRows.row(index, encoded)
    }
}

/** Runs [work] on consecutive ranges of `0 until rows`, each in its own thread. */
private fun shareRows(rows: Int, threads: Int, work: (IntRange) -> Unit) {
    val part = max(1, (rows + threads - 1) / threads)
    val ranges = (0 until rows step part).map { it until min(rows, it + part) }
    val started = ranges.drop(1).map { range -> Thread { work(range) }.apply { start() } }
    ranges.firstOrNull()?.let(work)
    started.forEach { it.join() }
}

/** A pixel at [at], changed in place, in column [x] of the factors; [space] holds six numbers. */
private fun relit(rgb: ByteArray, at: Int, x: Int, lit: FactorReader, dim: FactorReader?, space: FloatArray) {
    val gain = lit.linear
    val untouched = gain[x * 3] == 1f && gain[x * 3 + 1] == 1f && gain[x * 3 + 2] == 1f
    if (untouched && (dim == null || dim.linear[x] == 1f)) return
    for (c in 0 until 3) {
        val photo = (rgb[at + c].toInt() and 255) / 255f
        // The shoulder belongs to what is left of the existing light: the key is added to that.
        space[c] = if (dim == null) photo else changeEncoded(photo, dim.linear[x], dim.encoded[x])
        space[3 + c] = changeEncoded(photo, gain[x * 3 + c], lit.encoded[x * 3 + c])
    }
    if (max(max(space[3], space[4]), space[5]) > KNEE) shoulder(space)
    for (c in 0 until 3) rgb[at + c] = (space[3 + c] * 255 + 0.5f).toInt().toByte()
}

/**
 * Compresses a pixel above the knee: was `pixel[0..2]`, would be `pixel[3..5]`.
 *
 * The shoulder bends the brightest channel and takes the others along, so that skin keeps its hue and
 * pales, as on film; bent one by one, the channels would turn it yellow.
 */
private fun shoulder(pixel: FloatArray) {
    val knee = max(max(max(pixel[0], pixel[1]), pixel[2]), KNEE)
    val peak = max(max(pixel[3], pixel[4]), pixel[5])
    val over = max(peak - knee, 0f)
    val room = 1 - knee
    val pressed = over / (over + room + TINY) // 0 at the knee, towards 1 far above it
    val bent = min(peak, knee) + room * pressed
    val paling = PALING * over / (over + 1 - KNEE)
    for (c in 3 until 6) {
        val kept = pixel[c] * (bent / peak)
        pixel[c] = max(kept + (bent - kept) * paling, pixel[c - 3]) // light that is added never darkens
    }
}
