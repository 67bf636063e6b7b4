// SPDX-License-Identifier: Apache-2.0
/**
 * The rule that sets lights up for one face or several, automatic or in a named pattern. A group gets
 * common lights, and each face its own share of them.
 */
package portrait.relight

import kotlin.math.min
import portrait.relight.Constants.Rule.HARDLY_SEEN
import portrait.relight.Constants.Rule.WHOLE

/** What is wanted of the light: what suits the photo, a named pattern, or light like a reference's. */
internal sealed interface Wanted {
    data object Automatic : Wanted

    class Named(val recipe: Recipe) : Wanted

    class Like(val light: Likeness) : Wanted
}

/**
 * The setup that suits a photo's faces.
 *
 * @param analyses one per face, the largest first; at least one.
 * @param most how many of them are lit.
 * @param gains predicts a unit light's gain, camera frame, on the crop of each of these faces.
 */
internal fun setUp(analyses: List<Analysis>, wanted: Wanted, most: Int, gains: (Light) -> List<Raster>): Setup {
    val faces = analyses.take(most)
    val readings = faces.map(::readLight)
    val intent = intentFor(wanted, together(readings), faces[0])
    val roll = faces[0].face.crop.roll
    val lights = intent.lights.mapIndexed { k, light ->
        val turned = light.rolled(roll)
        if (k == 0 && wanted !is Wanted.Like) lifted(turned, roll) else turned
    }
    val added = lights.map(gains)
    val solvers = faces.mapIndexed { k, analysis ->
        Solver(Skin(analysis.view), sum(lights, added.map { it[k] }), intent.stops(readings[k]))
    }
    val found = solvers.zip(readings) { solver, own -> if (solver.blind) null else intent.solve(own, solver) }
    val group = joined(found)
    // What each face looks like under the intensity and fill that suit all of the group.
    val seen = solvers.zip(group.shares) { solver, share ->
        solver.given(group.intensity * share, 1 - share * (1 - group.fill))
    }
    val isAutomatic = wanted == Wanted.Automatic
    if (group.intensity == 0.0 || (isAutomatic && change(readings, seen) < HARDLY_SEEN)) {
        val pattern = (wanted as? Wanted.Named)?.recipe
        val reason = unlitWords(pattern, isAutomatic, together(readings).ratio, lights[0], faces.size)
        return Setup(listOf(lights[0].copy(intensity = 0.0, reason = reason)), reason = reason)
    }
    val strong = lights.map { it.copy(intensity = it.intensity * group.intensity) }
    val first = group.shares.indexOfFirst { it > 0 }
    val own = readings[first]
    val outcome = seen[first].copy(pressed = found[first]?.pressed == true)
    val words = litWords(strong[0], group.fill, own.ratio, outcome, intent.aim(own), intent.gist)
    val shares = group.shares + List(analyses.size - faces.size) { 0.0 }
    val reason = if (shares.size > 1) "$words ${groupWords(shares)}" else words
    val key = strong[0].copy(reason = reason)
    return Setup(listOf(key) + strong.drop(1), group.fill, reason, if (shares.min() < 1) shares else emptyList())
}

/** What a setup is after, for a group's mean reading and its largest face. */
private fun intentFor(wanted: Wanted, reading: Reading, first: Analysis): Intent {
    val pose = first.face.cropPose
    return when (wanted) {
        Wanted.Automatic -> automaticIntent(reading, pose)
        is Wanted.Named -> patternIntent(wanted.recipe, reading, pose)
        is Wanted.Like -> likeIntent(wanted.light, wanted.light.tint(first), pose)
    }
}

/** What lights add together, by their intensities and colours. */
private fun sum(lights: List<Light>, gains: List<Raster>): Raster {
    val total = Raster(gains[0].rows, gains[0].columns, 3)
    for ((light, gain) in lights.zip(gains)) {
        val (red, green, blue) = light.color.map { (light.intensity * it).toFloat() }
        addTo(total.data, gain.data, red, green, blue)
    }
    return total
}

/** Mean change over a group's faces, levels of 255. */
private fun change(readings: List<Reading>, seen: List<Outcome>): Double {
    val areas = readings.map { it.size * it.size }
    return areas.indices.sumOf { areas[it] * seen[it].change } / areas.sum()
}

/** Intensity and fill for a group, and each face's share of both. */
private class Joined(val intensity: Double, val fill: Double, val shares: List<Double>)

/** Of what was found for each face: one whose share is small keeps more of its light, taken is what suits all. */
private fun joined(found: List<Outcome?>): Joined {
    val lit = found.filterNotNull()
    val strongest = lit.maxOfOrNull { it.intensity } ?: 0.0
    if (strongest == 0.0) return Joined(0.0, 1.0, found.map { 0.0 })
    val shares = found.map { if (it == null) 0.0 else it.intensity / strongest }
    val taken = min(lit.sumOf { 1 - it.fill } / shares.sum(), lit.maxOf { 1 - it.fill })
    return Joined(strongest, if (1 - taken > WHOLE) 1.0 else 1 - taken, shares)
}
