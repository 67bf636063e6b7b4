// SPDX-License-Identifier: Apache-2.0
/**
 * A photo's edges: filters that let values change where the photo does, and how dark it is.
 *
 * References: He et al. 2013, "Guided Image Filtering"; He & Sun 2015, "Fast Guided Filter".
 */
package portrait.relight

import kotlin.math.max
import kotlin.math.min
import kotlin.math.round
import portrait.relight.Constants.Edge.BLACK
import portrait.relight.Constants.Edge.BLACK_OF
import portrait.relight.Constants.Edge.CALM
import portrait.relight.Constants.Edge.COLD
import portrait.relight.Constants.Edge.DARK
import portrait.relight.Constants.Edge.DARKEST
import portrait.relight.Constants.Edge.DARKEST_OF
import portrait.relight.Constants.Edge.DARK_OF
import portrait.relight.Constants.Edge.EDGE
import portrait.relight.Constants.Edge.IN_BLACK
import portrait.relight.Constants.Edge.LEAST_OF
import portrait.relight.Constants.Edge.MURKY
import portrait.relight.Constants.Edge.OUTLINE_EDGE
import portrait.relight.Constants.Edge.OUTLINE_LEAST
import portrait.relight.Constants.Edge.OUTLINE_SCALE
import portrait.relight.Constants.Edge.PILED
import portrait.relight.Constants.Edge.PLAIN
import portrait.relight.Constants.Edge.PLAINEST
import portrait.relight.Constants.Edge.SAMPLED_EVERY
import portrait.relight.Constants.Edge.SOFTENED
import portrait.relight.Constants.Edge.THICKEST
import portrait.relight.Constants.Edge.TINTED
import portrait.relight.Constants.Edge.VEIL

/** Weights of red, green and blue in brightness. */
private val LUMA = Constants.Edge.LUMA.toFloatArray()

/**
 * Lets values change where a picture's brightness does (fast guided filter).
 *
 * @property brightness one channel in [0, 1].
 * @property coarse the cells, [scale] times as large, that coefficients are found on.
 * @param radius half the window's side, in cells of the picture.
 */
internal class EdgeFilter(val brightness: Raster, val coarse: Grid, radius: Double, scale: Int) {
    private val side = 2 * max(1, round(radius / scale).toInt()) + 1
    private val small = resizeArea(brightness, coarse.rows, coarse.columns)
    private val mean = blur(small, side)
    private val sharpness = blur(small.zip(small) { a, b -> a * b }, side)
        .zip(mean) { square, m -> 1 / (max(square - m * m, 0f) + EDGE) }

    /** What brightness is multiplied by, and what is added to that, to follow three channels. */
    fun coefficients(values: Raster): Pair<Raster, Raster> {
        val smooth = blur(values, side)
        val slope = blur(values.weighted(small), side)
        val offset = Raster(values.rows, values.columns, 3)
        var i = 0
        for (cell in mean.data.indices) {
            val m = mean.data[cell]
            val sharp = sharpness.data[cell]
            repeat(3) {
                slope.data[i] = (slope.data[i] - smooth.data[i] * m) * sharp
                offset.data[i] = smooth.data[i] - slope.data[i] * m
                i++
            }
        }
        return blur(slope, side) to blur(offset, side)
    }
}

/** A picture's brightness, one channel. */
internal fun gray(image: Raster): Raster {
    val colors = image.data
    val result = Raster(image.rows, image.columns, 1)
    var cell = 0
    var k = 0
    while (k < colors.size) {
        result.data[cell++] = colors[k] * LUMA[0] + colors[k + 1] * LUMA[1] + colors[k + 2] * LUMA[2]
        k += 3
    }
    return result
}

/** Lets a person's outline end where the photo's colours change; [radius] in cells. */
internal fun outlineOnEdges(guide: Raster, person: Raster, radius: Double): Raster {
    val fast = if (min(guide.rows, guide.columns) >= OUTLINE_LEAST) OUTLINE_SCALE.toDouble() else 1.0
    return guidedFilter(guide, person, max(1, round(radius * fast).toInt()), OUTLINE_EDGE, fast)
}

/** Where the photo can be multiplied: lost neither in noise nor in a veil over its black. */
internal fun photoTrust(brightness: Raster): Raster {
    val mean = blur(brightness, CALM)
    val across = ceilDiv(mean.columns, SAMPLED_EVERY)
    val sample = FloatArray(ceilDiv(mean.rows, SAMPLED_EVERY) * across) {
        mean.data[(it / across * mean.columns + it % across) * SAMPLED_EVERY]
    }
    // Cells in which dark hair and a bright wall mix would shine as a rim around the head.
    return blur(erode(toneTrust(mean, sample), DARKEST_OF), SOFTENED)
}

/** Factors on red, green and blue that whiten the light on dark, cold cells: black hair has no hue. */
internal fun photoTint(colors: Raster): Raster {
    val mean = resizeArea(colors, max(1, colors.rows / TINTED), max(1, colors.columns / TINTED))
    val brightness = gray(mean)
    val tint = Raster(mean.rows, mean.columns, 3)
    for (i in brightness.data.indices) {
        val k = i * 3
        val most = max(mean.data[k + 1], mean.data[k + 2])
        val cold = smoothstep((most - mean.data[k]) / max(most, DARKEST), COLD[0], COLD[1])
        val dark = 1 - smoothstep(brightness.data[i], MURKY[0], MURKY[1])
        val share = PLAIN * cold * dark
        if (share == 0f) tint.data.fill(1f, k, k + 3) else whiten(mean.data, k, share, tint.data)
    }
    return resizeLinear(tint, colors.rows, colors.columns)
}

/** Writes the factors that take a [share] of its hue from the colour at [k]. */
private fun whiten(colors: FloatArray, k: Int, share: Float, into: FloatArray) {
    val red = srgbToLinear(colors[k])
    val green = srgbToLinear(colors[k + 1])
    val blue = srgbToLinear(colors[k + 2])
    val shown = luminance(red, green, blue)
    fun factor(linear: Float) = 1 + share * ((shown / max(linear, DARKEST)).coerceIn(1 / PLAINEST, PLAINEST) - 1)
    into[k] = factor(red)
    into[k + 1] = factor(green)
    into[k + 2] = factor(blue)
}

/** Where pixels of a crop can be multiplied: as on the photo, but pixel by pixel. */
internal fun trustIn(photo: Raster): Raster = gray(photo).let { toneTrust(it, it.data) }

/** Share of the light that tones get, of a photo that has those of a sample. */
private fun toneTrust(brightness: Raster, sample: FloatArray): Raster {
    val tones = sample.copyOf()
    val (least, black, dark) = listOf(LEAST_OF, BLACK_OF, DARK_OF).map { nth(tones, tones.size / it) }
    val floor = max(0f, 1 - (dark - least) / PILED)
    val veil = floor * (VEIL * (black - BLACK)).coerceIn(0f, THICKEST)
    val (dim, bright) = DARK
    return brightness.map { IN_BLACK + (1 - IN_BLACK) * smoothstep(it, veil + dim, veil + bright) }
}
