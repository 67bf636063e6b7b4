// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.max
import kotlin.math.min
import kotlin.math.round
import portrait.relight.Constants.Light.BRIGHTEST
import portrait.relight.Constants.Portrait.FITS
import portrait.relight.Constants.Portrait.GAINS
import portrait.relight.Constants.Portrait.SIZES
import portrait.relight.Constants.Rule.GROUP

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

    private val gains = Recent<Kind, List<FaceGain>>(GAINS)
    private val sides = Recent<Int, Canvas>(SIZES)

    /** The faces found, largest first. */
    public val faces: List<Face> get() = analyses.map { it.face }

    /**
     * What a portrait photographer would do to the light, with the reason.
     *
     * @param pattern a [Recipe]'s name: `loop`, `rembrandt`, `butterfly`, `split`, `clamshell`, `rim` or
     *   `balance`; null for what suits the photo.
     * @param like a portrait whose light is copied instead: the key's direction from the head, the ratio of
     *   key to fill, and the warmth, as they are on its largest face.
     * @param most how many faces, the largest ones, are lit.
     * @throws IllegalArgumentException for an unknown pattern, or a pattern beside a portrait to copy from.
     */
    @JvmOverloads
    @Synchronized
    public fun suggest(pattern: String? = null, like: Portrait? = null, most: Int = GROUP): Setup {
        require(pattern == null || like == null) { "a pattern and a portrait to copy from exclude each other" }
        require(most >= 1) { "at least one face is lit, got $most" }
        val wanted = when {
            like != null -> Wanted.Like(likenessOf(like.analyses[0]))
            pattern != null -> Wanted.Named(Recipe.named(pattern))
            else -> Wanted.Automatic
        }
        return setUp(analyses, wanted, most) { light -> predicted(light).map { it.head } }
    }

    /**
     * Key gain G of a light's direction, softness and gloss, for unit intensity and white light.
     *
     * @param side longer side of the photo that it is fitted to; null for full size.
     */
    @JvmOverloads
    @Synchronized
    public fun gain(light: Light, side: Int? = null): GainMap = canvas(side).fit(light, analyses.map { 1.0 }).seen()

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

    /** A unit, white light's gain on each face, as predicted. */
    private fun predicted(light: Light): List<FaceGain> =
        gains.of(Kind(light)) { analyses.map { gainOf(stages, it, light) } }

    private fun canvas(side: Int?): Canvas {
        require(side == null || side >= 1) { "a side is >= 1, got $side" }
        val longest = max(photo.height, photo.width)
        return sides.of(min(side ?: longest, longest)) { Canvas(it.toDouble() / longest) }
    }

    /** The photo at one size, its edges, and gains fitted to them. */
    private inner class Canvas(scale: Double) {
        val photo: Photo = if (scale == 1.0) this@Portrait.photo else scaled(scale)
        private val guide = Guide(photo, analyses.map { it.outline.scaled(scale) })
        private val fits = Recent<Pair<Kind, List<Double>>, GainMap>(FITS)

        private fun scaled(scale: Double): Photo {
            val full = this@Portrait.photo
            val rows = max(1, round(full.height * scale).toInt())
            val columns = max(1, round(full.width * scale).toInt())
            return resizeArea(full, rows, columns)
        }

        /** The unit, white light's gain, as it comes from the fit; each face has its share of it. */
        fun fit(light: Light, shares: List<Double>): GainMap = fits.of(Kind(light) to shares) {
            guide.fit(predicted(light).zip(shares) { gain, share -> gain.times(share.toFloat()) })
        }

        fun render(setup: Setup, strength: Double): Photo {
            val lights = setup.lights.filter { light -> light.intensity > 0 && light.color.any { it > 0 } }
            if (strength == 0.0 || (lights.isEmpty() && setup.fill == 1.0)) return photo.copy()
            val shares = setup.sharesOf(analyses.size)
            val added = guide.nothing()
            for (light in lights) {
                val (red, green, blue) = light.color.map { (light.intensity * it).toFloat() }
                addTo(added.gain.data, fit(light, shares).gain.data, red, green, blue)
            }
            val taken = if (setup.fill == 1.0) null else guide.taken(shares.map { (1 - setup.fill) * it })
            return apply(photo, added.seen(), strength, threads, taken, guide.grain)
        }
    }
}

/** Adds a light's gain in its colour times its intensity. */
internal fun addTo(sum: FloatArray, gain: FloatArray, red: Float, green: Float, blue: Float) {
    for (cell in 0 until gain.size / 3) {
        val i = 3 * cell
        sum[i] += red * gain[i]
        sum[i + 1] += green * gain[i + 1]
        sum[i + 2] += blue * gain[i + 2]
    }
}

/** The values made last, at most [size] of them. */
private class Recent<K, V>(private val size: Int) {
    private val kept = object : LinkedHashMap<K, V>(size, 0.75f, true) {
        override fun removeEldestEntry(eldest: MutableMap.MutableEntry<K, V>?): Boolean = size > this@Recent.size
    }

    fun of(key: K, make: (K) -> V): V = kept[key] ?: make(key).also { kept[key] = it }
}
