// SPDX-License-Identifier: Apache-2.0
/** Where on the screen a light stands: the screen is a map of all directions in front of the face. */
package portrait.relight.sample

import portrait.relight.Light

/** Azimuth at the screen's sides and elevation at its upper and lower edge, degrees. */
private const val SIDE_DEG = 90.0

/** Share of the screen's width and height, from the left upper corner, at which a light is drawn. */
fun lampPlace(light: Light): Pair<Float, Float> =
    (0.5 + light.azimuthDeg / (2 * SIDE_DEG)).coerceIn(0.0, 1.0).toFloat() to
        (0.5 - light.elevationDeg / (2 * SIDE_DEG)).coerceIn(0.0, 1.0).toFloat()

/** A light moved to a place on the screen; where none was needed, it shines now. */
fun movedLight(light: Light, x: Float, y: Float): Light = light.copy(
    azimuthDeg = (x.coerceIn(0f, 1f) - 0.5) * 2 * SIDE_DEG,
    elevationDeg = (0.5 - y.coerceIn(0f, 1f)) * 2 * SIDE_DEG,
    intensity = if (light.intensity == 0.0) 1.0 else light.intensity,
    reason = "",
)
