// SPDX-License-Identifier: Apache-2.0
/**
 * Intensity and fill together, so that a face's pixels come out as they are wanted: its own pixels are
 * relit on the crop, and what is wanted of them is measured on the outcome.
 */
package portrait.relight

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import portrait.relight.Constants.Cell.LIFT
import portrait.relight.Constants.Solution.LEAST_FILL
import portrait.relight.Constants.Solution.NOTHING
import portrait.relight.Constants.Solution.PRESSED
import portrait.relight.Constants.Solution.STEPS
import portrait.relight.Constants.Solution.STRONGEST_KEY

/**
 * A face's pixels once they are relit.
 *
 * @property intensity k of the key.
 * @property fill share of the existing light left.
 * @property share part of the face's light that the key makes.
 * @property ratio right cheek over left cheek.
 * @property brightness mean luminance over what it was.
 * @property change mean absolute change, levels of 255.
 * @property pressed whether highlights or the limit on lifting take a tenth of what is wanted.
 */
internal data class Outcome(
    val intensity: Double,
    val fill: Double,
    val share: Double,
    val ratio: Double,
    val brightness: Double,
    val change: Double,
    val pressed: Boolean = false,
) {
    /** Key-to-fill, whichever side is brighter. */
    val uneven: Double get() = max(ratio, 1 / ratio)

    /** The ratio of the cheek on a side, +1 image right, over the other. */
    fun towards(side: Int): Double = if (side > 0) ratio else 1 / ratio
}

/** The pixels of a face that a setup is solved on; all of the crop where no face was drawn. */
internal class Skin(view: View) {
    /** Where they lie on the crop, row by row. */
    val cells: IntArray

    /** Encoded colours in [0, 1]. */
    val encoded: FloatArray

    /** Share of added light that dark pixels get. */
    val trust: FloatArray
    private val left: IntArray
    private val right: IntArray

    /** Mean luminance. */
    private val was: Double

    init {
        val mask = view.face.data
        val face = mask.indices.filter { mask[it] > 0 }
        cells = face.ifEmpty { mask.indices.toList() }.toIntArray()
        encoded = view.photo.data.of(cells)
        val whole = trustIn(view.photo).data
        trust = FloatArray(cells.size) { whole[cells[it]] }
        val measured = cheeks(view)
        left = cells.indices.filter { measured.left.data[cells[it]] > 0 }.toIntArray()
        right = cells.indices.filter { measured.right.data[cells[it]] > 0 }.toIntArray()
        was = brightness(encoded).average()
    }

    /**
     * The pixels with a key added and the existing light at [fill], encoded.
     *
     * @param gain key gain of unit intensity on these pixels, trusted.
     */
    fun relit(gain: FloatArray, intensity: Float, fill: Float): FloatArray {
        val result = FloatArray(encoded.size)
        val (before, after) = FloatArray(3) to FloatArray(3)
        val kept = encodedGain(fill)
        for (i in encoded.indices step 3) {
            for (c in 0 until 3) {
                val whole = min(fill + intensity * gain[i + c], LIFT)
                before[c] = changeEncoded(encoded[i + c], fill, kept)
                after[c] = changeEncoded(encoded[i + c], whole, encodedGain(whole))
            }
            shoulder(before, after)
            after.copyInto(result, i)
        }
        return result
    }

    /** An outcome whose pixels are [after]. */
    fun outcome(intensity: Double, fill: Double, share: Double, after: FloatArray): Outcome {
        val shown = brightness(after)
        fun cheek(which: IntArray) = middle(FloatArray(which.size) { shown[which[it]] })
        var change = 0.0
        for (i in after.indices) change += abs(after[i] - encoded[i])
        return Outcome(
            intensity,
            fill,
            share,
            cheek(right) / cheek(left),
            shown.average() / max(was, NOTHING),
            change / after.size * 255,
        )
    }
}

/**
 * Finds intensity and fill for one face, one direction of the key and one brightness.
 *
 * @param whole key gain of unit intensity on the crop, three channels.
 * @param stops by which the face's mean brightness is to change.
 * @param strongest intensity of the key.
 */
internal class Solver(
    private val skin: Skin,
    private val whole: Raster,
    private val stops: Double,
    private val strongest: Double = STRONGEST_KEY,
) {
    private val wanted = 2.0.pow(stops)
    private val gain = whole.data.of(skin.cells).also { for (i in it.indices) it[i] *= skin.trust[i / 3] }

    /** Mean brightness that unit intensity adds, over what is there. */
    private val each: Double

    init {
        val was = FloatArray(skin.encoded.size) { srgbToLinear(skin.encoded[it]) }
        val added = FloatArray(was.size) { was[it] * gain[it] }
        each = luminances(added).average() / max(luminances(was).average(), NOTHING)
    }

    /** Whether the key does not reach the face. */
    val blind: Boolean get() = each < NOTHING

    /** The share that brightens the face as wanted with all of the existing light kept. */
    val least: Double get() = max(0.0, 1 - 1 / wanted)

    /** The face when the key makes a share of its light; what highlights take is given back once. */
    fun at(share: Double): Outcome {
        val found = attempt(share, wanted)
        val lost = (wanted / max(found.brightness, NOTHING)).coerceIn(1.0 / LIFT, LIFT.toDouble())
        val other = attempt(share, wanted * lost)
        return other.copy(pressed = lost > PRESSED && spares(other))
    }

    /** Whether the key might be stronger. */
    fun spares(outcome: Outcome): Boolean = outcome.intensity < (1 - NOTHING) * strongest

    /** The face under a key of an intensity that is not solved for. */
    fun given(intensity: Double, fill: Double): Outcome = tried(intensity, fill, 0.0)

    /** The same for another brightness, no less than this one's. */
    fun brighter(stops: Double): Solver = Solver(skin, whole, max(this.stops, stops), strongest)

    /** The same for a face that is darker by so much. */
    fun darker(stops: Double): Solver = Solver(skin, whole, this.stops - stops, strongest)

    /** The same with a key of this [intensity] at most, beside more of the existing light. */
    fun noStronger(intensity: Double): Solver = Solver(skin, whole, stops, intensity)

    /** The smallest share of the key, from [least] to [most], that reaches something; else [most]. */
    fun until(least: Double, most: Double, reached: (Outcome) -> Boolean): Outcome {
        val (low, high) = max(least, this.least) to max(most, this.least)
        val (first, last) = at(low) to at(high)
        if (reached(first)) return first
        return if (reached(last)) narrowed(low, high, last, ::at, reached) else last
    }

    private fun attempt(share: Double, wanted: Double): Outcome {
        val fill = min(1.0, maxOf(LEAST_FILL, (1 - share) * wanted, wanted - strongest * each))
        val intensity = min(strongest, max(0.0, wanted - fill) / max(each, NOTHING))
        return tried(intensity, fill, share)
    }

    private fun tried(intensity: Double, fill: Double, share: Double): Outcome =
        skin.outcome(intensity, fill, share, skin.relit(gain, intensity.toFloat(), fill.toFloat()))
}

/** Three channels of some cells. */
private fun FloatArray.of(cells: IntArray): FloatArray {
    val found = FloatArray(cells.size * 3)
    for ((n, cell) in cells.withIndex()) copyInto(found, n * 3, cell * 3, cell * 3 + 3)
    return found
}

/** Luminance of encoded colours. */
private fun brightness(encoded: FloatArray): FloatArray =
    luminances(FloatArray(encoded.size) { srgbToLinear(encoded[it]) })

private fun luminances(linear: FloatArray): FloatArray =
    FloatArray(linear.size / 3) { luminance(linear[it * 3], linear[it * 3 + 1], linear[it * 3 + 2]) }

/** The outcome [at] the smallest number that reaches something, as not [lowest] but [highest] does: [found]. */
internal fun narrowed(
    lowest: Double,
    highest: Double,
    found: Outcome,
    at: (Double) -> Outcome,
    reached: (Outcome) -> Boolean,
): Outcome {
    var (low, high) = lowest to highest
    var last = found
    repeat(STEPS) {
        val middle = (low + high) / 2
        val half = at(middle)
        if (reached(half)) {
            high = middle
            last = half
        } else {
            low = middle
        }
    }
    return last
}
