// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import portrait.relight.Constants.Recipe as Numbers

/**
 * A named pattern of portrait light; angles in degrees, as seen from the face.
 *
 * @property name what it is asked for by.
 * @property azimuthDeg of the key from the nose, towards the key's side.
 * @property elevationDeg of the key above the eyes.
 * @property softnessDeg radius of its lights, as the face sees them.
 * @property gist what it does, for people who are no photographers.
 */
public class Recipe internal constructor(
    public val name: String,
    public val azimuthDeg: Double,
    public val elevationDeg: Double,
    public val softnessDeg: Double,
    internal val ratio: Double,
    internal val shares: List<Double>,
    internal val intensity: Double,
    internal val fill: Double,
    internal val below: Double,
    public val gist: String,
) {
    public companion object {
        internal val BALANCE = Numbers.Balance.run {
            Recipe(NAME, AZIMUTH_DEG, ELEVATION_DEG, SOFTNESS_DEG, RATIO, SHARES, INTENSITY, FILL, BELOW, GIST)
        }

        /** All patterns, the most customary first. */
        @JvmField
        public val PATTERNS: List<Recipe> = listOf(
            Numbers.Loop.run {
                Recipe(NAME, AZIMUTH_DEG, ELEVATION_DEG, SOFTNESS_DEG, RATIO, SHARES, INTENSITY, FILL, BELOW, GIST)
            },
            Numbers.Rembrandt.run {
                Recipe(NAME, AZIMUTH_DEG, ELEVATION_DEG, SOFTNESS_DEG, RATIO, SHARES, INTENSITY, FILL, BELOW, GIST)
            },
            Numbers.Butterfly.run {
                Recipe(NAME, AZIMUTH_DEG, ELEVATION_DEG, SOFTNESS_DEG, RATIO, SHARES, INTENSITY, FILL, BELOW, GIST)
            },
            Numbers.Split.run {
                Recipe(NAME, AZIMUTH_DEG, ELEVATION_DEG, SOFTNESS_DEG, RATIO, SHARES, INTENSITY, FILL, BELOW, GIST)
            },
            Numbers.Clamshell.run {
                Recipe(NAME, AZIMUTH_DEG, ELEVATION_DEG, SOFTNESS_DEG, RATIO, SHARES, INTENSITY, FILL, BELOW, GIST)
            },
            Numbers.Rim.run {
                Recipe(NAME, AZIMUTH_DEG, ELEVATION_DEG, SOFTNESS_DEG, RATIO, SHARES, INTENSITY, FILL, BELOW, GIST)
            },
            BALANCE,
        )

        /**
         * The pattern of a name.
         *
         * @throws IllegalArgumentException if there is none.
         */
        internal fun named(name: String): Recipe = requireNotNull(PATTERNS.find { it.name == name }) {
            "\"$name\" is no pattern of light; there are ${PATTERNS.joinToString { it.name }}"
        }
    }
}
