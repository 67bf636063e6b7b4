// SPDX-License-Identifier: Apache-2.0
/**
 * A face's estimates through a take: noise is averaged, what the face does is followed at once.
 *
 * The estimates lie on the face's upright crop, which goes along with it: there a person keeps their place.
 */
package portrait.relight

import kotlin.math.acos
import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.max
import kotlin.math.pow
import portrait.relight.Constants.Steady.DARKEST
import portrait.relight.Constants.Steady.FORGOTTEN_DEG
import portrait.relight.Constants.Steady.LIGHT_EVERY_S
import portrait.relight.Constants.Steady.LIGHT_S
import portrait.relight.Constants.Steady.MEMORY_S
import portrait.relight.Constants.Steady.OUTLINE_S
import portrait.relight.Constants.Steady.SHADING_EVERY_S
import portrait.relight.Constants.Steady.STILL

/**
 * What the latest look at a face tells, averaged with those before.
 *
 * @property there the light already there, as the gain of any key needs it.
 */
internal class SteadyFace(val analysis: Analysis, val there: Existing)

/**
 * Looks at the faces of one take; what is known of a face goes on from picture to picture.
 *
 * @param memoryS over so many seconds the shading and the normals of a still face are averaged.
 */
internal class SteadyLook(
    private val stages: NetworkStages,
    private val perception: Perception,
    private val memoryS: Double = MEMORY_S,
) {
    /**
     * The light of the surroundings on a face.
     *
     * @property logs logarithm of the environment, camera frame.
     * @property level mean irradiance over pi on the face.
     * @property ageS seconds since it was estimated.
     */
    private class Surroundings(val logs: Raster, val level: Double, val ageS: Double)

    /**
     * What a key's diffuse light counts for on a face.
     *
     * @property logLift its logarithm.
     * @property ageS seconds since the shading network looked.
     */
    private class Shade(val logLift: Raster, val ageS: Double)

    /**
     * What is known of a face from the pictures before; all but the light on its crop.
     *
     * @property turn what the normals differ by from the mesh's.
     */
    private class Known(
        val pose: Matrix,
        val outline: Raster,
        val body: Raster?,
        val turn: Raster,
        val trust: Raster,
        val light: Surroundings,
        val shade: Shade,
    )

    private val known = HashMap<Int, Known>()

    /**
     * Looks at a face of the next picture.
     *
     * @param number tells whose face it is.
     * @param stepS seconds since the last look at it, > 0.
     */
    fun look(photo: Photo, number: Int, face: Face, stepS: Double): SteadyFace {
        val before = known[number]
        val old = if (before == null) 0.0 else still(before.pose, face.cropPose, stepS)
        val seen = look(perception, photo, face)
        val view = if (before == null) seen else seen.outlined(mean(before.outline, seen.outline, kept(stepS, OUTLINE_S)))
        val found = stages.normals(view)
        val turn = mean(before?.turn, found.vectors.zip(view.mesh.normals) { a, b -> a - b }, old)
        val trust = mean(before?.trust, found.confidence, old)
        val normals = Normals(view.mesh.normals.zip(turn) { a, b -> a + b }.also { normalize(it.data) }, trust)
        val light = surroundings(before?.light, view, normals.vectors, face.crop.roll, stepS)
        val around = Environment(light.logs.map { exp(it) }).roll(-face.crop.roll)
        val surface = between(view, normals.vectors)
        val shade = shade(before?.shade, view, surface, around, old, stepS)
        val below = joined(before?.body, lookBelow(perception, photo, face), stepS)
        val whole = bodyOf(below, face.crop, Head(view, normals, around))
        known[number] = Known(face.cropPose, view.outline, below?.person, turn, trust, light, shade)
        val analysis =
            Analysis(face, view, around, normals.vectors, trust, light.level, photo, whole.person, whole.body)
        return SteadyFace(analysis, existingAt(view, surface, light.level, shade.logLift.map { exp(it) }))
    }

    /** Drops what is known of all faces but these. */
    fun forget(others: Set<Int>) {
        known.keys.retainAll(others)
    }

    private fun surroundings(before: Surroundings?, view: View, normals: Raster, roll: Double, stepS: Double): Surroundings {
        val ageS = if (before == null) 0.0 else before.ageS + stepS
        if (before != null && ageS < LIGHT_EVERY_S) return Surroundings(before.logs, before.level, ageS)
        val found = stages.lighting(view, normals)
        val level = meanIrradiance(found, normals, view.face)
        val logs = found.roll(roll).data.map { ln(max(it, DARKEST.toFloat())) }
        if (before == null) return Surroundings(logs, level, 0.0)
        val old = kept(ageS, LIGHT_S)
        return Surroundings(mean(before.logs, logs, old), before.level.pow(old) * level.pow(1 - old), 0.0)
    }

    private fun shade(
        before: Shade?,
        view: View,
        surface: Raster,
        around: Environment,
        old: Double,
        stepS: Double,
    ): Shade {
        val ageS = if (before == null) 0.0 else before.ageS + stepS
        if (before != null && ageS < SHADING_EVERY_S && old > STILL) return Shade(before.logLift, ageS)
        val logLift = lift(view, stages.logShading(view, surface, around)).map { ln(it) }
        return Shade(mean(before?.logLift, logLift, if (before == null) 0.0 else old.pow(max(1.0, ageS / stepS))), 0.0)
    }

    /** What is seen below the face now, the person averaged with the one before. */
    private fun joined(before: Raster?, now: Look?, stepS: Double): Look? =
        if (before == null || now == null) now else now.outlined(mean(before, now.person, kept(stepS, OUTLINE_S)))

    /** How far what is known of a face still holds, in [0, 1], by time and by the head's turn. */
    private fun still(before: Matrix, now: Matrix, stepS: Double): Double {
        val turn = before.transposed * now
        val cosine = (turn[0, 0] + turn[1, 1] + turn[2, 2] - 1) / 2
        val turned = degrees(acos(cosine.coerceIn(-1.0, 1.0))) / FORGOTTEN_DEG
        return kept(stepS, memoryS) * exp(-turned * turned)
    }
}

/** Share of what is known that outlives a step, for a mean over about [memoryS]. */
private fun kept(stepS: Double, memoryS: Double): Double = exp(-stepS / memoryS)

/** A share of what is known, if anything is, and the rest of what is new. */
private fun mean(known: Raster?, now: Raster, share: Double): Raster {
    val (old, new) = share.toFloat() to (1 - share).toFloat()
    return known?.zip(now) { a, b -> old * a + new * b } ?: now
}
