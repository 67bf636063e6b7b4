// SPDX-License-Identifier: Apache-2.0
/** Where a key stands: the automatic one, and those of the patterns. */
package portrait.relight

import kotlin.math.abs
import kotlin.math.max
import portrait.relight.Constants.Direction.AZIMUTHS_DEG
import portrait.relight.Constants.Direction.AZIMUTH_DEG
import portrait.relight.Constants.Direction.ELEVATIONS_DEG
import portrait.relight.Constants.Direction.ELEVATION_DEG
import portrait.relight.Constants.Direction.FAVOURED
import portrait.relight.Constants.Direction.LEAN_DEG
import portrait.relight.Constants.Direction.LOWEST_DEG
import portrait.relight.Constants.Direction.SHORT_DEG
import portrait.relight.Constants.Direction.SOFTNESS_DEG
import portrait.relight.Constants.Direction.WIDEST_DEG

/**
 * The side that the key belongs on: +1 image right, -1 image left.
 *
 * The side that the existing light favours, if it does; else the short side, which the nose points to.
 */
internal fun sideOf(reading: Reading): Int {
    val lean = reading.lean
    val turned = if (abs(lean) < FAVOURED) lean + reading.yawDeg / SHORT_DEG else lean
    return if (turned > 0) 1 else -1
}

/** The automatic key, of unit intensity, for an upright head. */
internal fun automaticKey(reading: Reading): Light {
    val side = sideOf(reading)
    val azimuth = (AZIMUTH_DEG + side * reading.yawDeg / 2).coerceIn(AZIMUTHS_DEG[0], AZIMUTHS_DEG[1])
    val elevation = (ELEVATION_DEG + reading.pitchDeg).coerceIn(ELEVATIONS_DEG[0], ELEVATIONS_DEG[1])
    return Light(side * azimuth, elevation, softnessDeg = SOFTNESS_DEG)
}

/**
 * The lights of a pattern, of unit intensity or less, in the frame of a head's pose.
 *
 * @param side +1 image right, -1 image left.
 */
internal fun patternLights(recipe: Recipe, side: Int, headPose: Matrix): List<Light> {
    val azimuth = side * recipe.azimuthDeg
    val own = headLight(azimuth, recipe.elevationDeg, headPose, recipe.softnessDeg)
    val raised = own.copy(elevationDeg = max(own.elevationDeg, LOWEST_DEG))
    val key = if (recipe.intensity == 0.0) {
        raised.copy(azimuthDeg = raised.azimuthDeg.coerceIn(-WIDEST_DEG, WIDEST_DEG))
    } else {
        raised
    }
    if (recipe.below == 0.0) return listOf(key)
    val lower = headLight(azimuth, -recipe.elevationDeg, headPose, recipe.softnessDeg)
    return listOf(key, lower.copy(intensity = recipe.below))
}

/** A [key] in camera frame that does not stand below the eyes of a head that leans, by its [roll]. */
internal fun lifted(key: Light, roll: Double): Light {
    val upright = 1 - smoothstep(degrees(abs(roll)).toFloat(), LEAN_DEG[0].toFloat(), LEAN_DEG[1].toFloat())
    val missing = max(LOWEST_DEG - key.elevationDeg, 0.0)
    return key.copy(elevationDeg = key.elevationDeg + upright * missing)
}

/** A light given as the head sees it: from the nose towards image right, and above the eyes. */
internal fun headLight(azimuthDeg: Double, elevationDeg: Double, headPose: Matrix, softnessDeg: Double): Light {
    val own = direction(radians(azimuthDeg), radians(elevationDeg))
    return Light.fromDirection(headPose * own).copy(softnessDeg = softnessDeg)
}
