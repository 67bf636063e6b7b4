// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import portrait.relight.Constants.Light.BRIGHTEST
import portrait.relight.Constants.Light.GLOSS
import portrait.relight.Constants.Light.SOFTEST_DEG
import portrait.relight.Constants.Light.SOFTNESS_DEG

/**
 * A key light.
 *
 * @property azimuthDeg in (-180, 180], 0 at the camera, > 0 towards image right.
 * @property elevationDeg in [-90, 90], > 0 up.
 * @property intensity k in [0, 100]; at 1 the key's irradiance at normal incidence equals the mean
 *   irradiance of the existing light over the visible face.
 * @property color linear RGB in [0, 100] of the key, white = 1, 1, 1.
 * @property softnessDeg in [0, 45], the light's radius as the subject sees it: the sun 0.25, a bare
 *   flash 2, a studio umbrella 25. A softer light has softer shadows.
 * @property gloss [0, 100], factor on the highlights that it makes on skin and hair: 1 as estimated, 0 matte.
 * @property reason why it stands there, one sentence; empty for a user's own light.
 */
public class Light @JvmOverloads constructor(
    azimuthDeg: Double,
    public val elevationDeg: Double,
    public val intensity: Double = 1.0,
    public val color: List<Double> = WHITE,
    public val softnessDeg: Double = SOFTNESS_DEG,
    public val gloss: Double = GLOSS,
    public val reason: String = "",
) {
    public val azimuthDeg: Double = 180 - (180 - azimuthDeg).mod(360.0)

    init {
        require(color.size == 3 && color.all { it in 0.0..BRIGHTEST }) {
            "color is three numbers in [0, ${BRIGHTEST.toInt()}], got $color"
        }
        require(azimuthDeg.isFinite()) { "a light needs finite numbers, got azimuth $azimuthDeg" }
        require(elevationDeg in -90.0..90.0) { "elevation lies in [-90, 90] degrees, got $elevationDeg" }
        require(intensity in 0.0..BRIGHTEST) { "intensity lies in [0, ${BRIGHTEST.toInt()}], got $intensity" }
        require(softnessDeg in 0.0..SOFTEST_DEG) { "softness lies in [0, ${SOFTEST_DEG.toInt()}] degrees, got $softnessDeg" }
        require(gloss in 0.0..BRIGHTEST) { "gloss lies in [0, ${BRIGHTEST.toInt()}], got $gloss" }
    }

    /** Unit vector from the subject towards the light, camera frame. */
    public val direction: Vector get() = direction(radians(azimuthDeg), radians(elevationDeg))

    /** The same light turned about the camera's axis, > 0 from above towards image right; radians. */
    public fun rolled(angle: Double): Light {
        if (angle == 0.0) return this
        val (azimuth, elevation) = angles(rolled(direction, angle))
        return copy(azimuthDeg = degrees(azimuth), elevationDeg = degrees(elevation))
    }

    /** The same light with some of its properties changed. */
    @JvmOverloads
    public fun copy(
        azimuthDeg: Double = this.azimuthDeg,
        elevationDeg: Double = this.elevationDeg,
        intensity: Double = this.intensity,
        color: List<Double> = this.color,
        softnessDeg: Double = this.softnessDeg,
        gloss: Double = this.gloss,
        reason: String = this.reason,
    ): Light = Light(azimuthDeg, elevationDeg, intensity, color, softnessDeg, gloss, reason)

    /** Whether all but the reason is the same. */
    override fun equals(other: Any?): Boolean = other is Light && numbers == other.numbers

    override fun hashCode(): Int = numbers.hashCode()

    override fun toString(): String =
        "Light(azimuthDeg=$azimuthDeg, elevationDeg=$elevationDeg, intensity=$intensity," +
            " color=$color, softnessDeg=$softnessDeg, gloss=$gloss)"

    private val numbers get() = listOf(azimuthDeg, elevationDeg, intensity, softnessDeg, gloss) + color

    public companion object {
        @JvmField
        public val WHITE: List<Double> = listOf(1.0, 1.0, 1.0)

        /** A light in the direction of a vector, camera frame. */
        @JvmStatic
        @JvmOverloads
        public fun fromDirection(vector: Vector, intensity: Double = 1.0, reason: String = ""): Light {
            val (azimuth, elevation) = angles(vector)
            return Light(degrees(azimuth), degrees(elevation), intensity, reason = reason)
        }
    }
}
