// SPDX-License-Identifier: Apache-2.0
/**
 * Automatic placement of the key light.
 *
 * Reference: Google, "Portrait Light: Enhancing Portrait Lighting with Machine Learning" (2020),
 * section "Automatic Light Placement": a key light about 30 degrees above the eyeline and 30 to 60
 * degrees off the camera axis seen from overhead, on the side that the existing light favours, at a
 * key-to-fill ratio of about 2:1.
 */
package portrait.relight

import java.math.BigDecimal
import java.math.RoundingMode
import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sign
import portrait.relight.Constants.Environment.SHADOW

private const val NOTHING = 1e-6

/**
 * The placement rule's numbers; angles in degrees.
 *
 * @property elevationDeg height above the eyeline.
 * @property azimuthDeg off the camera axis when the existing light does not say.
 * @property azimuthRangeDeg allowed distance from the camera axis.
 * @property elevationRangeDeg allowed height after the head's tilt is followed.
 * @property keyToFill ratio aimed at.
 * @property flatRatio below this cheek ratio the existing light favours no side.
 * @property turnedDeg a nose further off the axis than this names the short side.
 * @property maxIntensity upper bound of k.
 */
public class PlacementConfig(
    public val elevationDeg: Double = 30.0,
    public val azimuthDeg: Double = 45.0,
    public val azimuthRangeDeg: ClosedFloatingPointRange<Double> = range(listOf(30.0, 60.0)),
    public val elevationRangeDeg: ClosedFloatingPointRange<Double> = range(listOf(20.0, 45.0)),
    public val keyToFill: Double = 2.0,
    public val flatRatio: Double = 1.1,
    public val turnedDeg: Double = 5.0,
    public val maxIntensity: Double = 2.0,
)

/**
 * Key-to-fill ratio after lights are added: brighter over darker cheek, >= 1.
 *
 * @param environment the existing light.
 * @param headPose rotation head to camera.
 * @param lights the added keys.
 * @param meanIrradiance luminance of the existing irradiance over pi, mean over the visible face.
 * @param kept share of the existing light that stays.
 */
public fun keyToFillWith(
    environment: Environment,
    headPose: Matrix,
    lights: List<Light>,
    meanIrradiance: Double,
    kept: Double = 1.0,
): Double {
    val existing = environment.cheekIrradiance(headPose).toList().map { kept * it }
    val lit = cheekNormals(headPose).mapIndexed { i, cheek ->
        existing[i] + lights.sumOf { light ->
            val (red, green, blue) = light.color.map { it.toFloat() }
            val strength = light.intensity * luminance(red, green, blue) * meanIrradiance
            strength * max(cheek.dot(light.direction), 0.0)
        }
    }
    return lit.max() / max(lit.min(), SHADOW)
}

/**
 * Places a key light as a portrait photographer would, who holds the camera as the head is.
 *
 * @param environment the existing light, in a frame where the head is upright.
 * @param headPose rotation head to that frame.
 * @param meanIrradiance luminance of the existing irradiance over pi, mean over the visible face;
 *   null takes the mean of the two cheeks.
 * @param headroom largest intensity that burns no highlights.
 * @param roll angle in radians that the head leans by towards image right: the light is turned with it.
 * @return a white light with its reason, camera frame; its intensity is the smallest k >= 0 that brings
 *   key-to-fill to the ratio aimed at, 0 if the photo is there already.
 */
public fun place(
    environment: Environment,
    headPose: Matrix,
    meanIrradiance: Double? = null,
    headroom: Double = Double.POSITIVE_INFINITY,
    roll: Double = 0.0,
    config: PlacementConfig = PlacementConfig(),
): Light {
    val (left, right) = environment.cheekIrradiance(headPose)
    val ratio = environment.keyToFill(headPose)
    val (yaw, pitch) = headAngles(headPose)
    val choice = chooseSide(environment, left, right, yaw, config)
    val elevation = (config.elevationDeg + pitch).coerceIn(config.elevationRangeDeg)
    val light = Light(choice.side * choice.azimuthDeg, elevation)
    val turned = light.rolled(roll)
    val where = where(turned)
    if (ratio >= config.keyToFill) {
        return turned.copy(
            intensity = 0.0,
            reason = "No light added: key-to-fill is ${ratio.fixed(1)}:1 already;" +
                " a key would stand $where, ${choice.why}.",
        )
    }
    val mean = meanIrradiance ?: ((left + right) / 2)
    val cheeks = cheekNormals(headPose).map { max(it.dot(light.direction), 0.0) * mean }
    val (key, fill) = if (choice.side > 0) 1 to 0 else 0 to 1
    val existing = listOf(left, right)
    val gained = cheeks[key] - config.keyToFill * cheeks[fill]
    val missing = config.keyToFill * existing[fill] - existing[key]
    val wanted = if (gained > NOTHING) missing / gained else config.maxIntensity
    val intensity = wanted.coerceIn(0.0, min(config.maxIntensity, max(headroom, 0.0)))
    val after = keyToFillWith(environment, headPose, listOf(light.copy(intensity = intensity)), mean)
    val limit = if (intensity >= wanted - NOTHING) "" else "; held back to keep highlights from burning"
    return turned.copy(
        intensity = intensity,
        reason = "Key $where, ${choice.why}; intensity ${intensity.fixed(2)} takes key-to-fill" +
            " from ${ratio.fixed(1)}:1 to ${after.fixed(1)}:1$limit.",
    )
}

/**
 * One light for several faces: directions and intensities averaged by face size.
 *
 * @param lights each face's own placement, at least one.
 * @param weights each face's size, > 0.
 * @param roll angle that the group leans by towards image right: their left and right are meant.
 */
public fun placeGroup(lights: List<Light>, weights: List<Double>, roll: Double = 0.0): Light {
    require(lights.isNotEmpty() && lights.size == weights.size) { "a group needs a weight for each light" }
    if (lights.size == 1) return lights[0]
    val share = weights.map { it / weights.sum() }
    // Keys on both sides would average to the front: the side with more weight wins.
    val upright = lights.map { it.rolled(-roll) }
    val sides = upright.map { sign(it.azimuthDeg) }
    val winner = if (lights.indices.sumOf { share[it] * sides[it] } >= 0) 1.0 else -1.0
    val vector = lights.indices.filter { sides[it] == winner }
        .fold(Vector(0.0, 0.0, 0.0)) { sum, i -> sum + upright[i].direction * share[i] }
    val intensity = lights.indices.sumOf { share[it] * lights[it].intensity }
    val result = Light.fromDirection(vector, intensity).rolled(roll)
    val where = "${where(result)}, averaged over ${lights.size} faces by their size"
    return result.copy(
        reason = if (intensity == 0.0) {
            "No light added: no face needs one; a key would stand $where."
        } else {
            "Key $where; intensity ${intensity.fixed(2)}, the mean of what each face needs."
        },
    )
}

/** Side (+1 image right), degrees off the axis, and the reason in words. */
private class Choice(val side: Int, val azimuthDeg: Double, val why: String)

private fun chooseSide(
    environment: Environment,
    left: Double,
    right: Double,
    yawDeg: Double,
    config: PlacementConfig,
): Choice {
    val (low, high) = config.azimuthRangeDeg.run { start to endInclusive }
    if (max(left, right) >= config.flatRatio * min(left, right)) {
        val side = if (right > left) 1 else -1
        val existing = degrees(angles(environment.dominantDirection()).first) * side
        // Further out the further out the existing light stands, within the range.
        val aside = low + (high - low) * (existing / high).coerceIn(0.0, 1.0)
        return Choice(side, aside, "the side the existing light favours")
    }
    if (abs(yawDeg) > config.turnedDeg) {
        val azimuth = (config.azimuthDeg + abs(yawDeg) / 2).coerceIn(low, high)
        val why = "the short side of the turned face, since the light is flat"
        return Choice(if (yawDeg > 0) 1 else -1, azimuth, why)
    }
    return Choice(-1, config.azimuthDeg, "the customary side, since light and face are both frontal")
}

/** Where a light stands, in words. */
private fun where(light: Light): String {
    val side = if (light.azimuthDeg > 0) "right" else "left"
    val height = if (light.elevationDeg >= 0) "up" else "down"
    val (across, above) = abs(light.azimuthDeg).fixed(0) to abs(light.elevationDeg).fixed(0)
    return "$across° to the image $side and $above° $height"
}

private fun range(ends: List<Double>): ClosedFloatingPointRange<Double> = ends[0]..ends[1]

/** With so many decimals. */
private fun Double.fixed(decimals: Int): String =
    BigDecimal(this).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString()
