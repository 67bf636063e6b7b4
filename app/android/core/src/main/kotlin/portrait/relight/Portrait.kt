// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.max
import kotlin.math.min
import kotlin.math.round
import portrait.relight.Constants.Light.BRIGHTEST
import portrait.relight.Constants.Portrait.FITS
import portrait.relight.Constants.Portrait.GAINS
import portrait.relight.Constants.Portrait.SIZES

/**
 * A photo looked at once, to be lit many times; made by [Relighter.look].
 *
 * A network runs only for a light's direction, softness or gloss that was not asked for lately;
 * intensity, colour, fill and strength are arithmetic. Threads may share it and take turns.
 *
 * @property photo the photo at full size.
 * @property analyses one per face, largest first; at least one.
 */
public class Portrait internal constructor(
    public val photo: Photo,
    public val analyses: List<Analysis>,
    private val stages: Stages,
    private val threads: Int,
) {
    /** All of a light that its gain depends on. */
    private data class Kind(
        val azimuthDeg: Double,
        val elevationDeg: Double,
        val softnessDeg: Double,
        val gloss: Double,
    ) {
        constructor(light: Light) : this(light.azimuthDeg, light.elevationDeg, light.softnessDeg, light.gloss)
    }

    private val gains = Recent<Kind, List<Raster>>(GAINS)
    private val sides = Recent<Int, Canvas>(SIZES)

    /** The faces found, largest first. */
    public val faces: List<Face> get() = analyses.map { it.face }

    /** One key for all faces, all of the existing light kept; its intensity is 0 when none is needed. */
    public fun suggest(): Setup {
        val light = placeGroup(analyses.map(::placed), analyses.map { it.face.size }, faces[0].crop.roll)
        return Setup(listOf(light), reason = light.reason)
    }

    /**
     * Key gain G of a light's direction, softness and gloss, for unit intensity and white light.
     *
     * @param side longer side of the photo that it is fitted to; null for full size.
     */
    @JvmOverloads
    @Synchronized
    public fun gain(light: Light, side: Int? = null): GainMap = canvas(side).fit(light).seen()

    /** The photo with its longer side at most this long. */
    @Synchronized
    public fun at(side: Int): Photo = canvas(side).photo

    /**
     * The photo in this setup.
     *
     * @param strength in [0, 100], factor on all that is done; 0 gives the photo bit for bit. Above 1 it
     *   makes the lights stronger and takes no more of the existing light away.
     * @param side longer side of the result at most; null for full size.
     * @throws IllegalArgumentException for numbers out of range.
     */
    @JvmOverloads
    @Synchronized
    public fun render(setup: Setup, strength: Double = 1.0, side: Int? = null): Result {
        require(strength in 0.0..BRIGHTEST) { "strength lies in [0, ${BRIGHTEST.toInt()}], got $strength" }
        return Result(canvas(side).render(setup, strength), photo, setup, analyses, strength)
    }

    /** The photo with these lights added. */
    @JvmOverloads
    public fun render(lights: List<Light>, strength: Double = 1.0, side: Int? = null): Result =
        render(Setup(lights), strength, side)

    private fun canvas(side: Int?): Canvas {
        require(side == null || side >= 1) { "a side is >= 1, got $side" }
        val longest = max(photo.height, photo.width)
        return sides.of(min(side ?: longest, longest)) { Canvas(it.toDouble() / longest) }
    }

    /** The photo at one size, its edges, and gains fitted to them. */
    private inner class Canvas(scale: Double) {
        val photo: Photo = if (scale == 1.0) this@Portrait.photo else scaled(scale)
        private val guide = Guide(photo, analyses.map { it.outline.scaled(scale) })
        private val fits = Recent<Kind, GainMap>(FITS)

        private fun scaled(scale: Double): Photo {
            val full = this@Portrait.photo
            val rows = max(1, round(full.height * scale).toInt())
            val columns = max(1, round(full.width * scale).toInt())
            return Photo.rounded(resizeArea(full, rows, columns))
        }

        /** The unit, white light's gain, as it comes from the fit. */
        fun fit(light: Light): GainMap = fits.of(Kind(light)) { kind ->
            guide.fit(gains.of(kind) { analyses.map { gainOf(stages, it, light) } })
        }

        fun render(setup: Setup, strength: Double): Photo {
            val lights = setup.lights.filter { light -> light.intensity > 0 && light.color.any { it > 0 } }
            if (strength == 0.0 || (lights.isEmpty() && setup.fill == 1.0)) return photo.copy()
            val added = guide.nothing()
            for (light in lights) {
                val (red, green, blue) = light.color.map { (light.intensity * it).toFloat() }
                addTo(added.gain.data, fit(light).gain.data, red, green, blue)
            }
            val away = (1 - setup.fill).toFloat()
            val taken = if (away == 0f) null else guide.person.map { it * away }
            return apply(photo, added.seen(), strength, threads, taken)
        }
    }
}

private fun addTo(sum: FloatArray, gain: FloatArray, red: Float, green: Float, blue: Float) {
    for (i in gain.indices step 3) {
        sum[i] += red * gain[i]
        sum[i + 1] += green * gain[i + 1]
        sum[i + 2] += blue * gain[i + 2]
    }
}

/** Places a key light for one face. */
internal fun placed(analysis: Analysis): Light = place(
    analysis.cropEnvironment,
    analysis.face.cropPose,
    analysis.meanIrradiance,
    analysis.headroom,
    analysis.face.crop.roll,
)

/** The values made last, at most [size] of them. */
private class Recent<K, V>(private val size: Int) {
    private val kept = object : LinkedHashMap<K, V>(size, 0.75f, true) {
        override fun removeEldestEntry(eldest: MutableMap.MutableEntry<K, V>?): Boolean = size > this@Recent.size
    }

    fun of(key: K, make: (K) -> V): V = kept[key] ?: make(key).also { kept[key] = it }
}
