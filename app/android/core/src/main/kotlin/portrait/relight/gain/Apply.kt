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

import kotlin.math.max
import kotlin.math.min
import portrait.relight.Constants.Apply.CEILING
import portrait.relight.Constants.Apply.KNEE
import portrait.relight.Constants.Cell.LIFT
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
        val reader = Enlarged(gain, gain.rows * factor, gain.columns * factor)
        val line = FloatArray(gain.columns * factor * 3)
        val count = min(width - left, gain.columns * factor) * 3
        for (y in 0 until min(height - top, gain.rows * factor)) {
            reader.row(y, line)
            line.copyInto(result.data, ((top + y) * width + left) * 3, 0, count)
        }
        return result
    }
}

/**
 * Multiplies a photo by `1 - min(strength, 1) * taken + strength * added` in linear light.
 *
 * No pixel grows more than [LIFT] times, and highlights above [KNEE] get a shoulder: they approach
 * [CEILING] and never reach it. A pixel of which nothing is taken and to which nothing is added keeps
 * its value exactly.
 *
 * @param photo is not changed.
 * @param added `sum_i k_i c_i G_i`.
 * @param strength factor on what is taken and added, >= 0; more than all cannot be taken.
 * @param threads rows are shared between so many threads.
 * @param taken share in [0, 1) of the existing light that is taken away, one channel on the cells of
 *   [added]; null takes nothing.
 * @param grain the photo's noise, on the cells of [added]: in colour it is not lifted with the rest.
 */
public fun apply(
    photo: Photo,
    added: GainMap,
    strength: Double = 1.0,
    threads: Int = 1,
    taken: Raster? = null,
    grain: Grain? = null,
): Photo {
    val result = photo.copy()
    val dimming = taken?.takeIf { share -> share.data.any { it != 0f } }
    if (strength == 0.0 || (dimming == null && added.gain.data.all { it == 0f })) return result
    val factors = Factors(added, strength.toFloat(), dimming, min(strength, 1.0).toFloat(), threads, grain)
    val rows = min(photo.height - added.top, added.gain.rows * added.factor)
    val columns = min(photo.width - added.left, added.gain.columns * added.factor)
    shareRows(rows, threads) { range ->
        val strip = Strip(factors, added.factor)
        for (y in range) {
            strip.begin(y)
            strip.relight(result.rgb, ((added.top + y) * photo.width + added.left) * 3, columns)
        }
    }
    return result
}

/** Runs [work] on consecutive ranges of `0 until rows`, each in its own thread. */
private fun shareRows(rows: Int, threads: Int, work: (IntRange) -> Unit) {
    val part = max(1, (rows + threads - 1) / threads)
    val ranges = (0 until rows step part).map { it until min(rows, it + part) }
    val started = ranges.drop(1).map { range -> Thread { work(range) }.apply { start() } }
    ranges.firstOrNull()?.let(work)
    started.forEach { it.join() }
}

/**
 * The factors on linear light, on cells, and the same for encoded values.
 *
 * @property gain with the key, three channels.
 * @property kept share of the existing light that stays, one channel; null where all of it does.
 * @property grain the photo's noise; null where it has none.
 * @property calmed how far it is taken back, one channel.
 */
private class Factors(
    added: GainMap,
    strength: Float,
    taken: Raster?,
    share: Float,
    threads: Int,
    val grain: Grain?,
) {
    val rows = added.gain.rows
    val columns = added.gain.columns
    val gain = Raster(rows, columns, 3)
    val encodedGain = Raster(rows, columns, 3)
    val kept = taken?.let { Raster(rows, columns, 1) }
    val encodedKept = taken?.let { Raster(rows, columns, 1) }
    val calmed = grain?.let { Raster(rows, columns, 1) }

    /** Of each row the first cell that changes something and the first after which none does. */
    val first = IntArray(rows) { columns }
    val stop = IntArray(rows)

    init {
        shareRows(rows, threads) { range ->
            for (row in range) fill(row, added.gain.data, strength, taken?.data, share)
        }
    }

    private fun fill(row: Int, added: FloatArray, strength: Float, taken: FloatArray?, share: Float) {
        val (linear, encoded) = gain.data to encodedGain.data
        for (column in 0 until columns) {
            val cell = row * columns + column
            val i = cell * 3
            var left = 1f
            if (taken != null && kept != null && encodedKept != null) {
                left = 1 - share * taken[cell]
                kept.data[cell] = left
                encodedKept.data[cell] = if (left == 1f) 1f else encodedGain(left)
            }
            var changed = left != 1f
            for (k in i until i + 3) {
                val value = min(left + strength * added[k], LIFT)
                linear[k] = value
                encoded[k] = if (value == 1f) 1f else encodedGain(value)
                changed = changed || value != 1f
            }
            if (calmed != null && grain != null) {
                calmed.data[cell] = grain.share(cell, (encoded[i] + encoded[i + 1] + encoded[i + 2]) / 3)
            }
            if (changed) {
                if (first[row] > column) first[row] = column
                stop[row] = column + 1
            }
        }
    }
}

/** Cells at [factor] times their size, a row at a time; for one thread. */
private class Grown(private val cells: Raster, private val factor: Int) {
    private val rows = if (factor == 1) null else Enlarged(cells, cells.rows * factor, cells.columns * factor)

    /** The row's numbers, from [first] on. */
    val line: FloatArray = if (rows == null) cells.data else FloatArray(rows.columns * cells.channels)
    var first = 0
        private set

    /** Turns to the columns from [start] until [stop] of a row. */
    fun begin(row: Int, start: Int, stop: Int) {
        if (rows == null) {
            first = row * cells.columns * cells.channels
        } else {
            rows.begin(row)
            rows.copy(line, start, stop)
        }
    }
}

/** Relights rows of a photo, [factor] to a cell; for one thread. */
private class Strip(private val factors: Factors, private val factor: Int) {
    private val gain = Grown(factors.gain, factor)
    private val encoded = Grown(factors.encodedGain, factor)
    private val kept = factors.kept?.let { Grown(it, factor) }
    private val encodedKept = factors.encodedKept?.let { Grown(it, factor) }
    private val calmed = factors.calmed?.let { Grown(it, factor) }
    private val around = factors.grain?.let { Grown(it.colors, factor) }
    private val own = FloatArray(3)
    private val before = FloatArray(3)
    private val after = FloatArray(3)
    private var start = 0
    private var stop = 0

    /** Turns to a row. */
    fun begin(row: Int) {
        start = factors.columns
        stop = 0
        for (near in max(0, row / factor - 1)..min(factors.rows - 1, row / factor + 1)) {
            start = min(start, factors.first[near])
            stop = max(stop, factors.stop[near])
        }
        start = max(0, start - 1) * factor
        stop = min(factors.columns, stop + 1) * factor
        if (start >= stop) return
        gain.begin(row, start, stop)
        encoded.begin(row, start, stop)
        kept?.begin(row, start, stop)
        encodedKept?.begin(row, start, stop)
        calmed?.begin(row, start, stop)
        around?.begin(row, start, stop)
    }

    /** Changes the first [columns] pixels from [from] on, in place. */
    fun relight(rgb: ByteArray, from: Int, columns: Int) {
        val linear = gain.line
        val encodedFactors = encoded.line
        val isNoisy = calmed != null
        val first = gain.first
        val end = 3 * min(stop, columns)
        var k = 3 * start
        while (k < end) {
            val at = from + k
            val i = first + k
            val untouched = linear[i] == 1f && linear[i + 1] == 1f && linear[i + 2] == 1f
            if (!untouched || (kept != null && kept.line[kept.first + k / 3] != 1f)) {
                var red = LEVELS[rgb[at].toInt() and 255]
                var green = LEVELS[rgb[at + 1].toInt() and 255]
                var blue = LEVELS[rgb[at + 2].toInt() and 255]
                if (isNoisy) {
                    calm(red, green, blue, k / 3)
                    red = own[0]
                    green = own[1]
                    blue = own[2]
                }
                red = changeEncoded(red, linear[i], encodedFactors[i])
                green = changeEncoded(green, linear[i + 1], encodedFactors[i + 1])
                blue = changeEncoded(blue, linear[i + 2], encodedFactors[i + 2])
                if (red > KNEE || green > KNEE || blue > KNEE) {
                    press(rgb, at, k / 3, red, green, blue)
                } else {
                    rgb[at] = (red * 255 + 0.5f).toInt().toByte()
                    rgb[at + 1] = (green * 255 + 0.5f).toInt().toByte()
                    rgb[at + 2] = (blue * 255 + 0.5f).toInt().toByte()
                }
            }
            k += 3
        }
    }

    /** Takes noise back from a pixel of column [x]; leaves the rest in [own]. */
    private fun calm(red: Float, green: Float, blue: Float, x: Int) {
        own[0] = red
        own[1] = green
        own[2] = blue
        val grain = factors.grain
        if (grain == null || calmed == null || around == null) return
        val share = calmed.line[calmed.first + x]
        if (share > 0) grain.calm(own, around.line, around.first + x * 3, share)
    }

    /** Writes a pixel of column [x] that is brighter than the knee. */
    private fun press(rgb: ByteArray, at: Int, x: Int, red: Float, green: Float, blue: Float) {
        after[0] = red
        after[1] = green
        after[2] = blue
        for (c in 0 until 3) {
            val photo = if (calmed == null) LEVELS[rgb[at + c].toInt() and 255] else own[c]
            // The shoulder belongs to what is left of the existing light: the key is added to that.
            before[c] = if (kept == null || encodedKept == null) photo else {
                changeEncoded(photo, kept.line[kept.first + x], encodedKept.line[encodedKept.first + x])
            }
        }
        shoulder(before, after)
        for (c in 0 until 3) rgb[at + c] = (after[c] * 255 + 0.5f).toInt().toByte()
    }
}

/**
 * Compresses a pixel above the knee that was [before] and would be [after].
 *
 * The shoulder bends the brightest channel and takes the others along, so that skin keeps its hue and
 * its saturation; bent one by one, the channels would turn it yellow.
 */
internal fun shoulder(before: FloatArray, after: FloatArray) {
    val knee = larger(larger(larger(before[0], before[1]), before[2]), KNEE)
    val peak = larger(larger(after[0], after[1]), after[2])
    val over = larger(peak - knee, 0f)
    val room = larger(CEILING - knee, 0f)
    val bent = (if (peak < knee) peak else knee) + room * over / (over + room + TINY)
    val scale = bent / larger(peak, TINY)
    for (c in 0 until 3) {
        after[c] = larger(after[c] * scale, before[c]) // light that is added never darkens
    }
}

/** The larger of two numbers; [max] also minds what is no number, and that takes its time. */
private fun larger(a: Float, b: Float): Float = if (a > b) a else b
