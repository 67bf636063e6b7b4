// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.max
import kotlin.math.min
import kotlin.math.round
import portrait.relight.Constants.Edge.BLACK
import portrait.relight.Constants.Edge.BLACK_OF
import portrait.relight.Constants.Edge.CALM
import portrait.relight.Constants.Edge.DARK
import portrait.relight.Constants.Edge.DARKEST_OF
import portrait.relight.Constants.Edge.DARK_OF
import portrait.relight.Constants.Edge.EDGE
import portrait.relight.Constants.Edge.IN_BLACK
import portrait.relight.Constants.Edge.LEAST_OF
import portrait.relight.Constants.Edge.OUTLINE_EDGE
import portrait.relight.Constants.Edge.OUTLINE_LEAST
import portrait.relight.Constants.Edge.OUTLINE_SCALE
import portrait.relight.Constants.Edge.PILED
import portrait.relight.Constants.Edge.SAMPLED_EVERY
import portrait.relight.Constants.Edge.SOFTENED
import portrait.relight.Constants.Edge.THICKEST
import portrait.relight.Constants.Edge.VEIL
import portrait.relight.Constants.Guide.GAIN_SIDE
import portrait.relight.Constants.Guide.LEAST
import portrait.relight.Constants.Guide.OUTLINE_SIDE
import portrait.relight.Constants.Guide.SURE
import portrait.relight.Constants.Reach.COARSEST
import portrait.relight.Constants.Reach.FADE
import portrait.relight.Constants.Reach.NOWHERE
import portrait.relight.Constants.Reach.OPEN
import portrait.relight.Constants.Reach.WORK_SIDE

/** Weights of red, green and blue in brightness. */
private val LUMA = Constants.Edge.LUMA.toFloatArray()

/**
 * Where one face's light may fall, on its crop; squares of any size, one channel.
 *
 * @property crop the square of the photo.
 * @property person probability in [0, 1] that a pixel is part of a person.
 * @property face in [0, 1], 1 where it is so for certain: inside the face.
 * @property confidence trust in the gain, [0, 1].
 */
public class Outline(
    public val crop: Crop,
    public val person: Raster,
    public val face: Raster,
    public val confidence: Raster,
) {
    /** The same on the photo scaled by a factor. */
    internal fun scaled(factor: Double): Outline = Outline(crop.scaled(factor), person, face, confidence)
}

/**
 * A photo's edges and the outlines of its people: made once, used for every light.
 *
 * The gain fades towards the crop's border and where the photo is clipped or too dark to be multiplied.
 *
 * References: He et al. 2013, "Guided Image Filtering"; He & Sun 2015, "Fast Guided Filter".
 *
 * @param outlines one per face, at least one.
 */
public class Guide(photo: Photo, outlines: List<Outline>) {
    /**
     * @property person where a person is in this face's part of the photo.
     * @property weight how much of a light shows there.
     */
    private class Layer(val crop: Crop, val filter: EdgeFilter, val person: Raster, val weight: Raster)

    private val grid: Grid
    private val layers: List<Layer>

    init {
        require(outlines.isNotEmpty()) { "a guide needs at least one face" }
        grid = gridOver(photo, outlines.map { it.crop })
        val guide = onGrid(photo, grid)
        val brightness = gray(guide)
        val trust = photoTrust(brightness)
        val shares = shares(outlines.map { window(it.crop, grid, photo) })
        val (hardly, sure) = SURE
        layers = outlines.mapIndexed { i, outline ->
            val crop = outline.crop
            val reach = crop.size / grid.step
            val person = outlineOnEdges(guide, crop.ontoGrid(outline.person, grid), reach / OUTLINE_SIDE)
            val face = crop.ontoGrid(outline.face, grid)
            val confidence = crop.ontoGrid(outline.confidence, grid)
            for (k in person.data.indices) {
                val inside = max(smoothstep(person.data[k], hardly, sure), face.data[k])
                person.data[k] = inside * shares[i].data[k]
            }
            val weight = Raster(grid.rows, grid.columns, 1, FloatArray(person.data.size) {
                person.data[it] * (trust.data[it] * confidence.data[it])
            })
            Layer(crop, EdgeFilter(brightness, grid, reach / GAIN_SIDE), person, weight)
        }
    }

    /** Where a person is, in [0, 1], on the cells of a fitted gain. */
    public val person: Raster by lazy {
        joined(List(layers.size) { 1f }).map { if (it > LEAST) min(it, 1f) else 0f }
    }

    /**
     * How much of the existing light is taken away when a share is of each person.
     *
     * @param shares in [0, 1], one per outline.
     */
    public fun taken(shares: List<Double>): Raster {
        require(shares.size == layers.size) { "${layers.size} faces need as many shares, got ${shares.size}" }
        val most = shares.max().toFloat()
        if (shares.all { it == shares[0] }) return person.map { it * most }
        return joined(shares.map { it.toFloat() }).map { if (it < LEAST * most) 0f else min(it, most) }
    }

    /** Each face's person, weighted. */
    private fun joined(weights: List<Float>): Raster {
        val total = Raster(grid.rows, grid.columns, 1)
        for ((layer, weight) in layers.zip(weights)) {
            for (i in total.data.indices) total.data[i] += weight * layer.person.data[i]
        }
        return total
    }

    /** No light anywhere, on the cells of a fitted gain. */
    internal fun nothing(): GainMap = GainMap(grid.left, grid.top, grid.step, Raster(grid.rows, grid.columns, 3))

    /**
     * Fits the faces' gains to the photo and joins them; linear in them, with the filter's overshoot.
     *
     * @param gains squares of three channels >= 0 on each face's crop, in the outlines' order.
     */
    public fun fit(gains: List<Raster>): GainMap {
        require(gains.size == layers.size) { "${layers.size} faces need as many gains, got ${gains.size}" }
        val result = nothing()
        val total = result.gain
        for ((layer, gain) in layers.zip(gains)) {
            layer.filter.add(layer.crop.ontoGrid(gain, layer.filter.coarse), layer.weight, total)
        }
        return result
    }
}

/** Fits faces' gains to a photo's edges, once; see [Guide]. */
public fun upsample(photo: Photo, outlines: List<Outline>, gains: List<Raster>): GainMap =
    Guide(photo, outlines).fit(gains).seen()

/** Without what is too little to be seen, and without the filter's overshoot below zero. */
internal fun GainMap.seen(): GainMap = GainMap(left, top, factor, gain.map { if (it > LEAST) it else 0f })

/**
 * Lets values change where a picture's brightness does (fast guided filter).
 *
 * @param brightness one channel in [0, 1] on [grid], whose sides are multiples of [COARSEST].
 * @param radius half the window's side, in cells.
 */
private class EdgeFilter(private val brightness: Raster, grid: Grid, radius: Double) {
    private val scale = listOf(COARSEST, COARSEST / 2, 1).first { it <= max(1.0, radius) }
    private val side = 2 * max(1, round(radius / scale).toInt()) + 1
    val coarse = Grid(grid.left, grid.top, grid.step * scale, grid.rows / scale, grid.columns / scale)
    private val small = resizeArea(brightness, coarse.rows, coarse.columns)
    private val mean = blur(small, side)
    private val sharpness = blur(small.zip(small) { a, b -> a * b }, side)
        .zip(mean) { square, m -> 1 / (max(square - m * m, 0f) + EDGE) }

    /** Adds values of three channels on the coarse grid, filtered, times [weight], to [total] on the fine one. */
    fun add(values: Raster, weight: Raster, total: Raster) {
        val smooth = blur(values, side)
        val slope = blur(values.weighted(small), side)
        val offset = Raster(values.rows, values.columns, 3)
        var i = 0
        for (cell in mean.data.indices) {
            val (m, sharp) = mean.data[cell] to sharpness.data[cell]
            repeat(3) {
                slope.data[i] = (slope.data[i] - smooth.data[i] * m) * sharp
                offset.data[i] = smooth.data[i] - slope.data[i] * m
                i++
            }
        }
        val (rows, columns) = brightness.rows to brightness.columns
        val steep = Enlarged(blur(slope, side), rows, columns)
        val base = Enlarged(blur(offset, side), rows, columns)
        val (steepLine, baseLine) = FloatArray(columns * 3) to FloatArray(columns * 3)
        for (y in 0 until rows) {
            val line = y * columns
            var (start, stop) = 0 to columns
            while (start < stop && weight.data[line + start] == 0f) start++
            while (start < stop && weight.data[line + stop - 1] == 0f) stop--
            if (start == stop) continue
            steep.begin(y)
            steep.copy(steepLine, start, stop)
            base.begin(y)
            base.copy(baseLine, start, stop)
            addLine(steepLine, baseLine, line, start, stop, weight.data, total.data)
        }
    }

    private fun addLine(
        steep: FloatArray,
        base: FloatArray,
        from: Int,
        start: Int,
        stop: Int,
        weight: FloatArray,
        into: FloatArray,
    ) {
        val guide = brightness.data
        for (x in start until stop) {
            val w = weight[from + x]
            val b = guide[from + x]
            val (i, to) = x * 3 to (from + x) * 3
            into[to] += (base[i] + steep[i] * b) * w
            into[to + 1] += (base[i + 1] + steep[i + 1] * b) * w
            into[to + 2] += (base[i + 2] + steep[i + 2] * b) * w
        }
    }
}

/** Cells over all crops' visible parts; rows and columns are multiples of [COARSEST]. */
private fun gridOver(photo: Photo, crops: List<Crop>): Grid {
    val boxes = crops.map { it.visible(photo.height, photo.width) }
    val (top, bottom) = boxes.minOf { it.top } to boxes.maxOf { it.bottom }
    val (left, right) = boxes.minOf { it.left } to boxes.maxOf { it.right }
    require(top < bottom && left < right) { "no face lies in the photo" }
    val factor = max(1, ceilDiv(max(bottom - top, right - left), WORK_SIDE))
    fun cells(side: Int) = ceilDiv(side, factor * COARSEST) * COARSEST
    return Grid(left, top, factor, cells(bottom - top), cells(right - left))
}

private fun ceilDiv(a: Int, b: Int): Int = (a + b - 1) / b

/** The photo on a grid, sRGB in [0, 1]; past its border its edge repeats. */
private fun onGrid(photo: Photo, grid: Grid): Raster =
    blocks(photo, grid.left, grid.top, grid.step, grid.rows, grid.columns).toRaster()

private fun gray(image: Raster): Raster = Raster(image.rows, image.columns, 1, FloatArray(image.data.size / 3) {
    image.data[it * 3] * LUMA[0] + image.data[it * 3 + 1] * LUMA[1] + image.data[it * 3 + 2] * LUMA[2]
})

/** Weights that give each pixel to its nearest face, by the faces' windows. */
private fun shares(windows: List<Raster>): List<Raster> {
    if (windows.size == 1) return windows
    val scale = FloatArray(windows[0].data.size) { i ->
        windows.maxOf { it.data[i] } / (windows.fold(0f) { sum, w -> sum + w.data[i] * w.data[i] } + NOWHERE)
    }
    return windows.map { w -> Raster(w.rows, w.columns, 1, FloatArray(scale.size) { w.data[it] * w.data[it] * scale[it] }) }
}

/** Lets a person's outline end where the photo's colours change; [radius] in cells. */
private fun outlineOnEdges(guide: Raster, person: Raster, radius: Double): Raster {
    val fast = if (min(guide.rows, guide.columns) >= OUTLINE_LEAST) OUTLINE_SCALE.toDouble() else 1.0
    return guidedFilter(guide, person, max(1, round(radius * fast).toInt()), OUTLINE_EDGE, fast)
}

/**
 * 1 inside a crop, falling smoothly to 0 at those of its sides that lie in the photo; one beyond its
 * border need not fade, and between the two it changes smoothly.
 */
private fun window(crop: Crop, grid: Grid, photo: Photo): Raster {
    val along = FloatArray(GAIN_SIDE) { smoothstep((it + 0.5f) / GAIN_SIDE, 0f, FADE) }
    fun open(u: Double, v: Double): Float {
        val foot = crop.toPhoto(u, v)
        val beyond = maxOf(-foot.x, foot.x - photo.width, -foot.y, foot.y - photo.height, 0.0) / crop.size
        return smoothstep(beyond.toFloat(), 0f, OPEN)
    }
    fun side(foot: (Double) -> Float) = FloatArray(GAIN_SIDE) { foot((it + 0.5) / GAIN_SIDE) }
    val (left, right) = side { open(0.0, it) } to side { open(1.0, it) }
    val (upper, lower) = side { open(it, 0.0) } to side { open(it, 1.0) }
    fun ramp(faded: Float, opened: Float) = faded + (1 - faded) * opened

    val square = Raster(GAIN_SIDE, GAIN_SIDE, 1)
    for (y in 0 until GAIN_SIDE) {
        for (x in 0 until GAIN_SIDE) {
            val (fromRight, fromBelow) = along[GAIN_SIDE - 1 - x] to along[GAIN_SIDE - 1 - y]
            square.data[y * GAIN_SIDE + x] = ramp(along[x], left[y]) * ramp(fromRight, right[y]) *
                ramp(along[y], upper[x]) * ramp(fromBelow, lower[x])
        }
    }
    return crop.ontoGrid(square, grid, 0f)
}

/** Where the photo can be multiplied: lost neither in noise nor in a veil over its black. */
private fun photoTrust(brightness: Raster): Raster {
    val mean = blur(brightness, CALM)
    val across = ceilDiv(mean.columns, SAMPLED_EVERY)
    val sample = FloatArray(ceilDiv(mean.rows, SAMPLED_EVERY) * across) {
        mean.data[(it / across * mean.columns + it % across) * SAMPLED_EVERY]
    }
    // Cells in which dark hair and a bright wall mix would shine as a rim around the head.
    return blur(erode(toneTrust(mean, sample), DARKEST_OF), SOFTENED)
}

/** Where pixels of a crop can be multiplied: as on the photo, but pixel by pixel. */
internal fun trustIn(photo: Raster): Raster = gray(photo).let { toneTrust(it, it.data) }

/** Share of the light that tones get, of a photo that has those of a sample. */
private fun toneTrust(brightness: Raster, sample: FloatArray): Raster {
    val tones = sample.sortedArray()
    val (least, black, dark) = listOf(LEAST_OF, BLACK_OF, DARK_OF).map { tones[tones.size / it] }
    val floor = max(0f, 1 - (dark - least) / PILED)
    val veil = floor * (VEIL * (black - BLACK)).coerceIn(0f, THICKEST)
    val (dim, bright) = DARK
    return brightness.map { IN_BLACK + (1 - IN_BLACK) * smoothstep(it, veil + dim, veil + bright) }
}
