// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.max
import kotlin.math.min
import kotlin.math.round

/**
 * A photo that was looked at once, to be relit many times; made by [Relighter.preview].
 *
 * Each [relight] runs the quotient network once per light and face, fits its gain to the edges found
 * before, and multiplies the small photo. The same light at full resolution is
 * `relighter.relight(photo, lights, analyses = preview.analyses)`.
 *
 * @property analyses one per face, of the photo at full size; at least one.
 */
public class Preview internal constructor(
    private val stages: Stages,
    public val analyses: List<Analysis>,
    side: Int,
    private val threads: Int,
) {
    /** The photo at preview size. */
    public val photo: Photo

    private val guide: Guide

    init {
        require(side >= 1) { "a preview's side is >= 1, got $side" }
        val full = analyses.first().photo
        val scale = min(1.0, side.toDouble() / max(full.height, full.width))
        val rows = max(1, round(full.height * scale).toInt())
        val columns = max(1, round(full.width * scale).toInt())
        photo = if (scale == 1.0) full else Photo.rounded(resizeArea(full, rows, columns))
        guide = Guide(photo, analyses.map { it.outline.scaled(scale) })
    }

    /**
     * The preview with lights added.
     *
     * @param strength factor on the added light in [0, 100].
     */
    public fun relight(lights: List<Light>, strength: Double = 1.0): Photo {
        checkStrength(strength)
        val added = guide.fit(analyses.map { addedGain(stages, it, lights) })
        return apply(photo, added, strength, threads)
    }
}
