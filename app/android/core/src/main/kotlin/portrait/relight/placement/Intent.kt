// SPDX-License-Identifier: Apache-2.0
/** What a setup is after: its lights' directions, and how strong they are to be on a face. */
package portrait.relight

import kotlin.math.max
import kotlin.math.min
import portrait.relight.Constants.Intent.BROUGHT
import portrait.relight.Constants.Intent.DARKER_STOPS
import portrait.relight.Constants.Intent.DIM
import portrait.relight.Constants.Intent.DIMNESS
import portrait.relight.Constants.Intent.KEPT
import portrait.relight.Constants.Intent.KEY_TO_FILL
import portrait.relight.Constants.Intent.LIKE_SHARES
import portrait.relight.Constants.Intent.PATTERN_KEY
import portrait.relight.Constants.Intent.PATTERN_STOPS
import portrait.relight.Constants.Intent.SEEN
import portrait.relight.Constants.Intent.SETTLED
import portrait.relight.Constants.Intent.SHARES
import portrait.relight.Constants.Intent.SHORT
import portrait.relight.Constants.Intent.SPARE_STOPS
import portrait.relight.Constants.Intent.STEEPER
import portrait.relight.Constants.Intent.STOPS
import portrait.relight.Constants.Intent.STRONGEST

/**
 * What a setup is after.
 *
 * @property lights for an upright head; the first is the key, of unit intensity.
 * @property gist what they do, in words.
 * @property aim key-to-fill aimed at on a face; 0 for none.
 * @property mostStops by which a face is brightened at most.
 * @property solve how strong they are to be on a face; null leaves it as it is.
 */
internal class Intent(
    val lights: List<Light>,
    val gist: String,
    val aim: (Reading) -> Double,
    private val mostStops: Double = STOPS.last(),
    val solve: (Reading, Solver) -> Outcome?,
) {
    /** Stops by which a face's brightness is to change. */
    fun stops(reading: Reading): Double {
        val dimness = reading.dimness
        if (dimness <= DIMNESS.first()) return min(STOPS.first(), mostStops)
        if (dimness >= DIMNESS.last()) return min(STOPS.last(), mostStops)
        val above = DIMNESS.indexOfFirst { it > dimness }
        val part = (dimness - DIMNESS[above - 1]) / (DIMNESS[above] - DIMNESS[above - 1])
        return min(STOPS[above - 1] + (STOPS[above] - STOPS[above - 1]) * part, mostStops)
    }
}

/**
 * What suits a face, or a group of which this is the mean.
 *
 * @param headPose rotation from the largest head to the frame where it is upright.
 */
internal fun automaticIntent(reading: Reading, headPose: Matrix): Intent {
    val side = sideOf(reading)
    if (reading.ratio > STRONGEST && reading.dimness >= DIM) {
        val lights = patternLights(Recipe.BALANCE, side, headPose)
        // A dim face that is harshly lit is filled: all of the existing light stays.
        return Intent(lights, BROUGHT, { 0.0 }) { _, solver -> solver.at(solver.least).takeIf { it.change >= SEEN } }
    }
    return Intent(listOf(automaticKey(reading)), KEPT, { steeper(it, side) }) { own, solver ->
        if (own.ratio > STRONGEST && own.dimness < DIM) return@Intent null
        val goal = steeper(own, side)
        var found = solver.until(SHARES[0], SHARES[1]) { it.towards(side) >= goal }
        if (found.towards(side) < goal) {
            val near = max(0.0, 1 - (1 - found.towards(side) / goal) / SHORT)
            found = solver.at(max(SETTLED + (found.share - SETTLED) * near, solver.least))
        }
        noticed(found, solver, side) ?: noticed(found, solver.brighter(SPARE_STOPS), side)
    }
}

/** A named pattern; arguments as for [automaticIntent]. */
internal fun patternIntent(recipe: Recipe, reading: Reading, headPose: Matrix): Intent {
    val side = sideOf(reading)
    val isBalance = recipe === Recipe.BALANCE
    val (aim, most) = if (isBalance) 0.0 to STOPS.last() else recipe.ratio to PATTERN_STOPS
    return Intent(patternLights(recipe, side, headPose), recipe.gist, { aim }, most) { own, solver ->
        when {
            isBalance -> balanced(own, solver)
            recipe.intensity > 0 -> solver.given(recipe.intensity, recipe.fill)
            else -> {
                fun reached(outcome: Outcome) = outcome.towards(side) >= recipe.ratio
                val softer = solver.noStronger(PATTERN_KEY)
                fun enough(outcome: Outcome) = reached(outcome) || softer.spares(outcome)
                val found = softer.until(recipe.shares[0], recipe.shares[1], ::reached)
                if (enough(found)) found else darker(softer, recipe.shares[1], ::enough)
            }
        }
    }
}

/** The outcome of a share on the face that is darker by the least that is enough. */
private fun darker(solver: Solver, share: Double, enough: (Outcome) -> Boolean): Outcome {
    fun at(stops: Double): Outcome = solver.darker(stops).let { it.at(max(share, it.least)) }
    val last = at(DARKER_STOPS)
    return if (enough(last)) narrowed(0.0, DARKER_STOPS, last, ::at, enough) else last
}

/** Light like a reference's, of a colour; [headPose] as for [automaticIntent]. */
internal fun likeIntent(wanted: Likeness, color: List<Double>, headPose: Matrix): Intent {
    val softness = Constants.Direction.SOFTNESS_DEG
    val key = headLight(wanted.azimuthDeg, wanted.elevationDeg, headPose, softness).copy(color = color)
    val side = if (wanted.azimuthDeg > 0) 1 else -1
    return Intent(listOf(key), "as in the reference", { wanted.ratio }) { _, solver ->
        solver.until(LIKE_SHARES[0], LIKE_SHARES[1]) { it.towards(side) >= wanted.ratio }
    }
}

/** Key-to-fill that the automatic light aims at on a face. */
private fun steeper(reading: Reading, side: Int): Double =
    min(max(KEY_TO_FILL, STEEPER * reading.towards(side)), STRONGEST)

/** An outcome, its key made stronger until it is noticed; null if it never is. */
private fun noticed(found: Outcome, solver: Solver, side: Int): Outcome? {
    val best = if (found.change < SEEN) {
        solver.until(found.share, SHARES[1]) { it.change >= SEEN || it.towards(side) > STRONGEST }
    } else {
        found
    }
    return best.takeIf { it.change >= SEEN }
}

/** Soft light until a face's ratio is that of balance, or as near to it as it comes. */
private fun balanced(reading: Reading, solver: Solver): Outcome? {
    val (ratio, shares) = Recipe.BALANCE.ratio to Recipe.BALANCE.shares
    if (reading.ratio <= ratio) return null
    fun even(outcome: Outcome) = outcome.uneven <= ratio && outcome.change >= SEEN
    val found = solver.until(shares[0], shares[1], ::even)
    return if (even(found)) found else listOf(found, solver.at(solver.least)).minBy { it.uneven }
}
