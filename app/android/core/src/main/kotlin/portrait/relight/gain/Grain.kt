// SPDX-License-Identifier: Apache-2.0
/**
 * Noise in the colours of dark places: light that is added does not lift it.
 *
 * Where a pixel's colour strays from those around by no more than noise does, part of the stray is taken
 * back, the more the more light is added; brightness keeps all of its detail.
 */
package portrait.relight

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.round
import portrait.relight.Constants.Grain.APART
import portrait.relight.Constants.Grain.AROUND
import portrait.relight.Constants.Grain.CLEAN
import portrait.relight.Constants.Grain.DEVIATIONS
import portrait.relight.Constants.Grain.DIM
import portrait.relight.Constants.Grain.QUIETEST
import portrait.relight.Constants.Grain.ROWS
import portrait.relight.Constants.Grain.STRAY

private val LUMA = Constants.Edge.LUMA.toFloatArray()

/**
 * A photo's noise, on the cells of a gain.
 *
 * @property colors three channels in [0, 1], averaged over more than a blotch.
 * @property dim how far a cell is dark enough to be calmed, [0, 1].
 * @property most how far a colour strays by noise.
 */
public class Grain internal constructor(internal val colors: Raster, internal val dim: Raster, internal val most: Float) {
    /** Part of a stray that is taken back on a cell under the mean of its encoded gains. */
    internal fun share(cell: Int, lift: Float): Float = dim.data[cell] * max(1 - 1 / (lift * lift), 0f)

    /** Takes back a share of how a pixel's colour strays from that at [at] in [around], in place. */
    internal fun calm(pixel: FloatArray, around: FloatArray, at: Int, share: Float) {
        for (c in 0 until 3) pixel[c] -= around[at + c]
        val straight = pixel[0] * LUMA[0] + pixel[1] * LUMA[1] + pixel[2] * LUMA[2]
        for (c in 0 until 3) {
            val stray = pixel[c] - straight
            val small = stray.coerceIn(-most, most)
            val noisy = small - (stray - small).coerceIn(-most, most)
            pixel[c] = (pixel[c] + around[at + c] - share * noisy).coerceIn(0f, 1f)
        }
    }
}

/** The noise of a photo on the cells that its colours are given on; null for a clean one. */
internal fun grainOf(photo: Photo, colors: Raster, step: Int): Grain? {
    val most = STRAY * max(0f, noise(photo) - CLEAN) / 255
    if (most == 0f) return null
    val smooth = blur(colors, 2 * max(1, round(AROUND.toDouble() / step).toInt()) + 1)
    val (dark, bright) = DIM
    return Grain(smooth, gray(smooth).map { 1 - smoothstep(it, dark, bright) }, most)
}

/** Deviation of the differences between red, blue and green by noise, 8-bit levels. */
internal fun noise(photo: Photo): Float {
    if (photo.width <= 2 * APART) return 0f
    val counts = LongArray(4 * 256 * 2)
    val darkest = (4 * 255 * DIM[0]).toInt()
    val every = max(1, photo.height / ROWS)
    val rgb = photo.rgb
    fun value(at: Int) = rgb[at].toInt() and 255
    fun difference(at: Int, c: Int) = value(at + c) - value(at + 1)
    for (y in every / 2 until photo.height step every) {
        for (x in APART until photo.width - APART) {
            val at = (y * photo.width + x) * 3
            if (value(at) + 2 * value(at + 1) + value(at + 2) >= darkest) continue
            for (c in 0..2 step 2) {
                val beside = difference(at - 3 * APART, c) + difference(at + 3 * APART, c)
                counts[abs(2 * difference(at, c) - beside)]++
            }
        }
    }
    val wanted = counts.sum() * QUIETEST.toDouble()
    if (wanted == 0.0) return 0f
    var last = 0
    var below = counts[0]
    while (below < wanted) below += counts[++last]
    // Whole numbers stand for what was rounded to them.
    val part = (wanted - (below - counts[last])) / counts[last]
    return ((if (last == 0) 0.5 * part else last - 0.5 + part) / DEVIATIONS).toFloat()
}
