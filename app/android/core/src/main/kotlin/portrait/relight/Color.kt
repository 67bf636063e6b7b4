// SPDX-License-Identifier: Apache-2.0
/**
 * The sRGB transfer function, luminance, and multiplying an encoded photo by a linear gain.
 *
 * Reference: IEC 61966-2-1:1999 (sRGB).
 */
package portrait.relight

import kotlin.math.max
import kotlin.math.pow
import portrait.relight.Constants.Color.ENCODED_LIMIT
import portrait.relight.Constants.Color.GAMMA
import portrait.relight.Constants.Color.LINEAR_LIMIT
import portrait.relight.Constants.Color.OFFSET
import portrait.relight.Constants.Color.SCALE
import portrait.relight.Constants.Color.SLOPE

/** Weights of linear sRGB primaries in relative luminance (ITU-R BT.709). */
internal val LUMINANCE = Constants.Color.LUMINANCE.toFloatArray()

/** Bytes as numbers in [0, 1]. */
internal val LEVELS = FloatArray(256) { it / 255f }

private val BYTE_TO_LINEAR = FloatArray(256) { srgbToLinear(it / 255f) }

/** Steps of a gain of 1 in a table, from a gain of 1/16 up to 4: between them a line errs by 2e-7 at most. */
private const val GAIN_STEPS = 4096
private const val LEAST_STEP = GAIN_STEPS / 16
private val ENCODED_GAINS = FloatArray(4 * GAIN_STEPS + 1) { (it.toFloat() / GAIN_STEPS).pow(1 / GAMMA) }

/** Decodes sRGB to linear light, 1 = white; values above 1 continue the power law. */
public fun srgbToLinear(encoded: Float): Float {
    val x = max(encoded, 0f)
    return if (x <= ENCODED_LIMIT) x / SLOPE else ((x + OFFSET) / SCALE).pow(GAMMA)
}

/** Decodes an sRGB byte, 0 to 255, to linear light. */
public fun srgbToLinear(encoded: Int): Float = BYTE_TO_LINEAR[encoded]

/** Encodes linear light as sRGB; negative values become 0, above 1 where [linear] is. */
public fun linearToSrgb(linear: Float): Float {
    val x = max(linear, 0f)
    return if (x <= LINEAR_LIMIT) x * SLOPE else SCALE * x.pow(1 / GAMMA) - OFFSET
}

/** Rounds an sRGB float in [0, 1] to a byte, clipping what lies outside. */
public fun toByte(encoded: Float): Byte = (encoded.coerceIn(0f, 1f) * 255 + 0.5f).toInt().toByte()

/** Relative luminance of linear sRGB. */
public fun luminance(red: Float, green: Float, blue: Float): Float =
    red * LUMINANCE[0] + green * LUMINANCE[1] + blue * LUMINANCE[2]

/** The factor `h` that [changeEncoded] needs for a linear gain. */
public fun encodedGain(gain: Float): Float {
    val place = gain * GAIN_STEPS
    val step = place.toInt()
    if (step < LEAST_STEP || step >= ENCODED_GAINS.size - 1) return gain.pow(1 / GAMMA)
    return ENCODED_GAINS[step] + (ENCODED_GAINS[step + 1] - ENCODED_GAINS[step]) * (place - step)
}

/**
 * Multiplies linear light by a gain without leaving the encoded domain.
 *
 * On the power-law part `encode(q L) = (s + 0.055) q^(1/2.4) - 0.055`, on the straight part
 * `encode(q L) = q s`. For gains of 1 or more each overestimates outside its own part, so the smaller is
 * right; for those below 1 each underestimates, so the larger is.
 *
 * @param encoded sRGB >= 0.
 * @param gain linear gain >= 0.
 * @param factor `encodedGain(gain)`.
 */
public fun changeEncoded(encoded: Float, gain: Float, factor: Float): Float {
    val straight = encoded * gain
    val curved = (encoded + OFFSET) * factor - OFFSET
    return if ((gain >= 1) == (straight < curved)) straight else curved
}
