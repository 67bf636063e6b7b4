// SPDX-License-Identifier: Apache-2.0
/**
 * Fitting low-resolution key gains to a photo's edges, with the photo as the guide.
 *
 * What depends on the photo and the faces alone is worked out once.
 */
package portrait.relight

import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import portrait.relight.Constants.Guide.BODY_SIDE
import portrait.relight.Constants.Guide.BODY_SURE
import portrait.relight.Constants.Canvas.GAIN_SIDE
import portrait.relight.Constants.Guide.LEAST
import portrait.relight.Constants.Guide.MIXED
import portrait.relight.Constants.Guide.NOBODY
import portrait.relight.Constants.Guide.OUTLINE_SIDE
import portrait.relight.Constants.Guide.SURE

/**
 * Where light may fall on one square of a photo; squares of any size, one channel.
 *
 * @property crop the square.
 * @property person probability in [0, 1] that a pixel is part of a person.
 * @property confidence trust in the gain, [0, 1].
 */
public class Layer(public val crop: Crop, public val person: Raster, public val confidence: Raster)

/**
 * Where one face's light may fall, on its crop and on a wider square around the body; squares of any size,
 * one channel.
 *
 * @property crop the face's square of the photo.
 * @property person probability in [0, 1] that a pixel is part of a person.
 * @property face in [0, 1], 1 where it is so for certain: inside the face.
 * @property confidence trust in the gain, [0, 1].
 * @property body the wider square, turned as the crop; null where there is none.
 */
public class Outline @JvmOverloads constructor(
    public val crop: Crop,
    public val person: Raster,
    public val face: Raster,
    public val confidence: Raster,
    public val body: Layer? = null,
) {
    internal val reach: Reach get() = Reach(crop, body?.crop)

    /** The same on the photo scaled by a factor. */
    internal fun scaled(factor: Double): Outline {
        val wide = body?.let { Layer(it.crop.scaled(factor), it.person, it.confidence) }
        return Outline(crop.scaled(factor), person, face, confidence, wide)
    }
}

/**
 * A face's gain as predicted; squares of three channels >= 0.
 *
 * @property head on its crop.
 * @property body on the body's square; null where there is none.
 */
public class FaceGain @JvmOverloads constructor(public val head: Raster, public val body: Raster? = null) {
    /** So many times the gain. */
    internal fun times(factor: Float): FaceGain =
        if (factor == 1f) this else FaceGain(head.map { it * factor }, body?.map { it * factor })
}

/**
 * A photo's edges and the outlines of its people: made once, used for every light.
 *
 * The gain fades towards the squares' borders and where the photo is too dark to be multiplied.
 *
 * @param outlines one per face, at least one.
 */
public class Guide(photo: Photo, outlines: List<Outline>) {
    /** One person on the cells of a box. */
    private class Person(val box: Box, val share: Raster)

    /** Where the photo shows people, in [0, 1], on the cells of a fitted gain. */
    public val person: Raster

    /** The photo's noise on those cells; null where it has none. */
    public val grain: Grain?
    private val persons: List<Person>
    private val squares: List<List<Square>>
    private val grid: Grid

    /** All cells that were looked at, and which of them are the grid's. */
    private val all: Grid
    private val whole: Box

    init {
        require(outlines.isNotEmpty()) { "a guide needs at least one face" }
        all = gridOver(photo, outlines.map { it.reach })
        val colors = blocks(photo, all.left, all.top, all.step, all.rows, all.columns).toRaster()
        val brightness = gray(colors)
        val (trust, tint) = photoTrust(brightness) to photoTint(colors)
        val places = outlines.map { place(it.reach, it.body?.let { body -> seen(body, photo) }, all, photo) }
        shareOut(places, outlines.map { it.crop }, all)
        val people = Raster(all.rows, all.columns, 1)
        val found = outlines.zip(places) { outline, place -> onPlace(outline, place, all, colors) }
        for ((place, each) in places.zip(found)) {
            val (here, weight) = each.first.data to each.second.data
            within(place.box, all.columns) { i, k ->
                here[i] *= place.share.data[i]
                people.data[k] += here[i]
                weight[i] *= here[i] * trust.data[k]
            }
        }
        for (i in people.data.indices) people.data[i] = if (people.data[i] > LEAST) min(people.data[i], 1f) else 0f
        persons = places.zip(found) { place, (here, _) -> Person(place.box, here) }
        val lit = bounds(all.rows, all.columns) { people.data[it] > 0 }.around(all.rows, all.columns)
        whole = hull(places.map { it.headBox } + lit)
        grid = partOf(all, whole)
        person = cut(people, whole)
        grain = grainOf(photo, colors, all.step)?.let { Grain(cut(it.colors, whole), cut(it.dim, whole), it.most) }
        squares = outlines.indices.map { k ->
            val fit = Fitting(outlines[k], places[k], found[k].second, tint, all, whole, photo)
            listOfNotNull(fit.head(brightness), fit.body())
        }
    }

    /**
     * How much of the existing light is taken away when a share is of each person.
     *
     * @param shares in [0, 1], one per outline.
     */
    public fun taken(shares: List<Double>): Raster {
        require(shares.size == persons.size) { "${persons.size} faces need as many shares, got ${shares.size}" }
        val most = shares.max().toFloat()
        if (shares.all { it == shares[0] }) return person.map { it * most }
        val total = Raster(all.rows, all.columns, 1)
        for ((each, share) in persons.zip(shares)) {
            val (own, factor) = each.share.data to share.toFloat()
            within(each.box, all.columns) { i, k -> total.data[k] += factor * own[i] }
        }
        return cut(total, whole).map { if (it < LEAST * most) 0f else min(it, most) }
    }

    /** No light anywhere, on the cells of a fitted gain. */
    internal fun nothing(): GainMap = GainMap(grid.left, grid.top, grid.step, Raster(grid.rows, grid.columns, 3))

    /**
     * Fits the faces' gains to the photo and joins them; linear in them, with the filter's overshoot.
     *
     * @param gains one per face, in the outlines' order.
     */
    public fun fit(gains: List<FaceGain>): GainMap {
        require(gains.size == squares.size) { "${squares.size} faces need as many gains, got ${gains.size}" }
        val result = nothing()
        for ((own, gain) in squares.zip(gains)) {
            own[0].add(gain.head, result.gain)
            if (own.size > 1 && gain.body != null) own[1].add(gain.body, result.gain)
        }
        return result
    }
}

/** Fits faces' gains to a photo's edges, once; see [Guide]. */
public fun upsample(photo: Photo, outlines: List<Outline>, gains: List<FaceGain>): GainMap =
    Guide(photo, outlines).fit(gains).seen()

/** Without what is too little to be seen, and without the filter's overshoot below zero. */
internal fun GainMap.seen(): GainMap = GainMap(left, top, factor, gain.map { if (it > LEAST) it else 0f })

/**
 * One square's light on a photo: drawn on coarse cells, weighed on the grid's.
 *
 * @param box the cells of the guide's grid that it lies on.
 * @param weight of the light there, red, green and blue: none of them 0 where another is not.
 * @param counts how far this square counts on the coarse cells; null for all.
 * @param edges what fits light to the photo's edges, if it is.
 */
private class Square(
    private val crop: Crop,
    private val box: Box,
    private val weight: Raster,
    private val coarse: Grid,
    private val counts: Raster?,
    private val edges: EdgeFilter?,
) {
    private val columns = weight.columns

    /** Of each row the first cell that gets light and the one after the last. */
    private val first = IntArray(weight.rows)
    private val stop = IntArray(weight.rows) { columns }

    init {
        for (y in first.indices) {
            val line = y * columns
            while (first[y] < stop[y] && weight.data[(line + first[y]) * 3] == 0f) first[y]++
            while (first[y] < stop[y] && weight.data[(line + stop[y] - 1) * 3] == 0f) stop[y]--
        }
    }

    private val lit = first.indices.filter { first[it] < stop[it] }
        .let { rows -> rows.minOfOrNull { first[it] }?.until(rows.maxOf { stop[it] }) ?: IntRange.EMPTY }

    /** Adds the light of a gain on the square to that on the guide's grid. */
    fun add(gain: Raster, total: Raster) {
        val drawn = crop.ontoGrid(gain, coarse)
        val (factor, offset) = edges?.coefficients(drawn) ?: (drawn to null)
        val (slope, base) = reader(factor) to offset?.let(::reader)
        val (slopeLine, baseLine) = FloatArray(columns * 3) to FloatArray(columns * 3)
        for (y in 0 until weight.rows) {
            val line = y * columns
            if (first[y] == stop[y]) continue
            slope.begin(y)
            slope.copy(slopeLine, first[y], stop[y])
            val to = ((box.top + y) * total.columns + box.left) * 3
            if (edges == null || base == null) {
                addLine(slopeLine, line, first[y], stop[y], total.data, to)
            } else {
                base.begin(y)
                base.copy(baseLine, first[y], stop[y])
                addFitted(slopeLine, baseLine, edges.brightness.data, line, first[y], stop[y], total.data, to)
            }
        }
    }

    private fun reader(plane: Raster): Enlarged =
        Enlarged(if (counts == null) plane else plane.weighted(counts), weight.rows, columns, lit)

    private fun addLine(values: FloatArray, line: Int, start: Int, stop: Int, into: FloatArray, to: Int) {
        val weights = weight.data
        for (i in 3 * start until 3 * stop) into[to + i] += values[i] * weights[3 * line + i]
    }

    private fun addFitted(
        slope: FloatArray,
        base: FloatArray,
        brightness: FloatArray,
        line: Int,
        start: Int,
        stop: Int,
        into: FloatArray,
        to: Int,
    ) {
        val weights = weight.data
        var cell = line + start
        var i = 3 * start
        while (i < 3 * stop) {
            val b = brightness[cell++]
            val w = 3 * line + i
            into[to + i] += (base[i] + slope[i] * b) * weights[w]
            into[to + i + 1] += (base[i + 1] + slope[i + 1] * b) * weights[w + 1]
            into[to + i + 2] += (base[i + 2] + slope[i + 2] * b) * weights[w + 2]
            i += 3
        }
    }
}

/**
 * A face's squares, made ready for its gains.
 *
 * @param weight of its light on the cells of its place.
 * @param tint factors on red, green and blue, on all cells.
 * @param whole the guide's grid, on all cells.
 */
private class Fitting(
    private val outline: Outline,
    private val place: Place,
    private val weight: Raster,
    private val tint: Raster,
    private val all: Grid,
    private val whole: Box,
    private val photo: Photo,
) {
    private val crop = outline.crop
    private val inside = inner(place.headBox, place.box)

    fun head(brightness: Raster): Square {
        val radius = crop.size / all.step / GAIN_SIDE
        val scale = scaleFor(radius)
        val coarse = partOf(all, place.headBox, scale)
        val counts = if (outline.body == null) null else window(crop, coarse, photo)
        val edges = EdgeFilter(cut(brightness, place.headBox), coarse, radius, scale)
        val tinted = cut(tint, place.headBox).weighted(cut(weight, inside))
        return Square(crop, inner(place.headBox, whole), tinted, coarse, counts, edges)
    }

    /** The body's square, where the head's does not count alone; null where there is none. */
    fun body(): Square? {
        val body = outline.body ?: return null
        val near = Raster(weight.rows, weight.columns, 1)
        within(inside, near.columns) { i, k -> near.data[k] = place.head.data[i] }
        val far = bounds(weight.rows, weight.columns) { weight.data[it] > LEAST && near.data[it] < 1 } ?: return null
        val lit = far.around(weight.rows, weight.columns)
        val box = lit.moved(place.box.top, place.box.left)
        val coarse = partOf(all, box, scaleFor(body.crop.size / all.step / BODY_SIDE))
        val beside = window(crop, coarse, photo).map { 1 - it }
        val tinted = cut(tint, box).weighted(cut(weight, lit))
        return Square(body.crop, inner(box, whole), tinted, coarse, beside, null)
    }
}

/** The person and the trust in the gain on one face's cells. */
private fun onPlace(outline: Outline, place: Place, all: Grid, colors: Raster): Pair<Raster, Raster> {
    val (crop, body) = outline.crop to outline.body
    val (cells, near) = partOf(all, place.box) to partOf(all, place.headBox)
    val inside = inner(place.headBox, place.box)
    var person = ramp(crop.ontoGrid(outline.person, near), SURE)
    var trust = crop.ontoGrid(outline.confidence, near)
    if (body != null && place.box != place.headBox) {
        fun wide(values: Raster): Raster = enlarged(body.crop, cells) { body.crop.ontoGrid(values, it) }
        fun join(own: Raster, wide: Raster): Raster {
            within(inside, wide.columns) { i, k -> wide.data[k] += (own.data[i] - wide.data[k]) * place.head.data[i] }
            return wide
        }
        person = join(person, ramp(wide(body.person), BODY_SURE))
        trust = join(trust, wide(body.confidence))
    }
    val found = ramp(outlineOnEdges(cut(colors, place.box), person, crop.size / all.step / OUTLINE_SIDE), MIXED)
    val certain = crop.ontoGrid(outline.face, near, 0f)
    within(inside, found.columns) { i, k -> found.data[k] = max(found.data[k], certain.data[i]) }
    return found to trust
}

/** 0 below the first of two numbers, 1 above the second, straight between them; changed in place. */
private fun ramp(values: Raster, ends: List<Float>): Raster {
    val (low, high) = ends
    val data = values.data
    for (i in data.indices) data[i] = ((data[i] - low) / (high - low)).coerceIn(0f, 1f)
    return values
}

/** Rows and columns of a photo that hold all of the person on a square, or null. */
private fun seen(layer: Layer, photo: Photo): Box? {
    val (crop, person) = layer.crop to layer.person
    val side = person.rows
    val (top, bottom, left, right) = bounds(side, side) { person.data[it] > NOBODY } ?: return null
    val corners = listOf(left + 0.5, right - 0.5).flatMap { x ->
        listOf(top + 0.5, bottom - 0.5).map { y -> crop.toPhoto(x / side, y / side) }
    }
    val margin = 2 * crop.size / side
    fun low(nearest: Double) = max(0, floor(nearest - margin).toInt())
    fun high(furthest: Double, limit: Int) = min(limit, ceil(furthest + margin).toInt())
    val box = Box(
        low(corners.minOf { it.y }),
        high(corners.maxOf { it.y }, photo.height),
        low(corners.minOf { it.x }),
        high(corners.maxOf { it.x }, photo.width),
    )
    return if (box.isEmpty) null else box
}

/** The part of a raster in a box. */
private fun cut(raster: Raster, box: Box): Raster {
    val result = Raster(box.rows, box.columns, raster.channels)
    val width = box.columns * raster.channels
    for (y in 0 until box.rows) {
        val from = ((box.top + y) * raster.columns + box.left) * raster.channels
        raster.data.copyInto(result.data, y * width, from, from + width)
    }
    return result
}
