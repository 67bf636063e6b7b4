// SPDX-License-Identifier: Apache-2.0
/** What was set up, in words: first for everybody, then with the numbers. */
package portrait.relight

import java.math.BigDecimal
import java.math.RoundingMode
import kotlin.math.abs
import kotlin.math.log2
import portrait.relight.Constants.Intent.STRONGEST
import portrait.relight.Constants.Wording.BEHIND_DEG
import portrait.relight.Constants.Wording.DARKER
import portrait.relight.Constants.Wording.FRONT_DEG
import portrait.relight.Constants.Wording.HEIGHTS_DEG
import portrait.relight.Constants.Wording.RAISED
import portrait.relight.Constants.Wording.SOFT_DEG
import portrait.relight.Constants.Wording.UNTOUCHED
import portrait.relight.Constants.Wording.WITHIN

/** Where a light stands, as seen by the viewer. */
internal fun standing(light: Light): String {
    val across = abs(light.azimuthDeg)
    val side = if (light.azimuthDeg > 0) "right" else "left"
    val place = when {
        across <= FRONT_DEG -> "from the front"
        across >= BEHIND_DEG -> "from behind on the $side"
        else -> "from the $side"
    }
    val (below, level, above) = HEIGHTS_DEG
    val height = when {
        light.elevationDeg <= below -> "from below"
        light.elevationDeg <= level -> "at the height of the eyes"
        light.elevationDeg <= above -> "a little above the eyes"
        else -> "high above the eyes"
    }
    return "$place, $height"
}

/** Where a light stands, in degrees. */
internal fun anglesOf(light: Light): String {
    val side = if (light.azimuthDeg > 0) "right" else "left"
    val height = if (light.elevationDeg >= 0) "up" else "down"
    val (across, above) = abs(light.azimuthDeg).fixed(0) to abs(light.elevationDeg).fixed(0)
    return "$across° to the image $side and $above° $height"
}

/**
 * The reason of a setup that lights a face.
 *
 * @param key the first of its lights, camera frame.
 * @param fill share of the existing light left.
 * @param before the face's ratio as it was.
 * @param found what comes out.
 * @param aim ratio aimed at; 0 for none.
 * @param gist what the light does.
 */
internal fun litWords(key: Light, fill: Double, before: Double, found: Outcome, aim: Double, gist: String): String {
    val kind = if (key.softnessDeg >= SOFT_DEG) "Soft" else "Crisp"
    val raised = when {
        found.brightness >= RAISED -> ", and the face is raised by ${log2(found.brightness).fixed(1)} stops"
        found.brightness <= DARKER -> ", and the face is ${(-log2(found.brightness)).fixed(1)} stops darker"
        else -> ""
    }
    val stops = if (fill < UNTOUCHED) "fill ${log2(fill).fixed(1)} stops" else "the existing light kept"
    return "$kind key ${standing(key)}; $gist$raised. Key ${anglesOf(key)}, intensity ${key.intensity.fixed(2)}," +
        " $stops: key-to-fill ${before.fixed(1)}:1 becomes ${found.uneven.fixed(1)}:1${limit(found, aim)}."
}

/**
 * Why no light is added.
 *
 * @param pattern the one asked for, if one was.
 * @param isAutomatic whether the automatic light was asked for.
 * @param ratio the face's key-to-fill.
 * @param key where one would stand, camera frame.
 * @param faces how many there are.
 */
internal fun unlitWords(pattern: Recipe?, isAutomatic: Boolean, ratio: Double, key: Light, faces: Int = 1): String {
    if (faces > 1) return "No light added: most of the $faces faces are lit well, and a key would spoil it."
    val why = when {
        pattern === Recipe.BALANCE && ratio <= Recipe.BALANCE.ratio -> "the face is lit evenly already"
        isAutomatic && ratio > STRONGEST -> "the light that is there is strong, and is left alone"
        else -> "none that looks natural would be seen"
    }
    return "No light added: $why. Key-to-fill is ${ratio.fixed(1)}:1; a key would stand ${anglesOf(key)}."
}

/** Who of a group gets how much. */
internal fun groupWords(shares: List<Double>): String {
    val lit = shares.filter { it > 0 }
    val least = if (lit.min() < lit.max()) ", the least of them with ${(lit.min() * 100).fixed(0)}% of this" else ""
    return "${lit.size} of ${shares.size} faces are lit$least."
}

/** What keeps a ratio from its aim. */
private fun limit(found: Outcome, aim: Double): String = when {
    found.uneven >= WITHIN * aim -> ""
    found.pressed -> "; for ${aim.fixed(1)}:1 the bright side has no room left"
    else -> "; ${aim.fixed(1)}:1 would take a key too strong to look natural"
}

/** With so many decimals, as Python writes it: what rounds to 0 from below keeps its sign. */
private fun Double.fixed(decimals: Int): String {
    val digits = BigDecimal(abs(this)).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString()
    return if (this < 0) "-$digits" else digits
}
