// SPDX-License-Identifier: Apache-2.0
/** Tones raised for the networks' eyes only, where a photo or a face is dark. */
package portrait.relight

import kotlin.math.ln
import kotlin.math.max
import kotlin.math.pow
import kotlin.math.sqrt
import portrait.relight.Constants.Tone.FACE_LEVEL
import portrait.relight.Constants.Tone.LEAST_POWER
import portrait.relight.Constants.Tone.PHOTO_POWER
import portrait.relight.Constants.Tone.RIM
import portrait.relight.Constants.Tone.WHITEST
import portrait.relight.Constants.Tone.WHITE_SHARE

/** Changes what a network sees: a square of three channels, values from 0 to 255. */
internal typealias Tones = (FloatArray) -> FloatArray

/** Raises the tones of a dark face, or of a half dark one. */
internal fun lifted(seen: FloatArray): FloatArray {
    val side = sqrt(seen.size / 3.0).toInt()
    val rim = side / RIM
    val inner = side - 2 * rim
    val brightest = FloatArray(inner * inner)
    for (row in 0 until inner) {
        for (column in 0 until inner) {
            val at = ((rim + row) * side + rim + column) * 3
            brightest[row * inner + column] = max(max(seen[at], seen[at + 1]), seen[at + 2])
        }
    }
    val level = nth(brightest, brightest.size / 2).coerceIn(1f, 254f) / 255.0
    val power = (ln(FACE_LEVEL) / ln(level)).coerceIn(LEAST_POWER, 1.0).toFloat()
    return if (power == 1f) seen else FloatArray(seen.size) { (seen[it] / 255).pow(power) * 255 }
}

/** Stretches a dark photo's tones. */
internal fun brightened(seen: FloatArray): FloatArray {
    val white = nth(seen.copyOf(), (WHITE_SHARE * (seen.size - 1)).toInt()).coerceIn(1f, WHITEST.toFloat())
    return FloatArray(seen.size) { (seen[it] / white).coerceIn(0f, 1f).pow(PHOTO_POWER.toFloat()) * 255 }
}
