// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.cos
import kotlin.math.floor
import kotlin.math.log2
import kotlin.math.max
import kotlin.math.min
import kotlin.math.roundToInt
import kotlin.math.sin
import portrait.relight.Constants.Geometry.CROP_SCALE
import portrait.relight.Constants.Geometry.FINEST
import portrait.relight.Constants.Geometry.SAMPLES
import portrait.relight.Constants.Geometry.WHOLE

/**
 * Cells laid over part of a photo.
 *
 * @property left photo column of the left edge.
 * @property top photo row of the upper edge.
 * @property step photo pixels per cell.
 */
public data class Grid(val left: Int, val top: Int, val step: Int, val rows: Int, val columns: Int)

/** Rows `top until bottom` and columns `left until right` of a photo. */
internal data class Box(val top: Int, val bottom: Int, val left: Int, val right: Int) {
    val rows: Int get() = bottom - top
    val columns: Int get() = right - left
    val isEmpty: Boolean get() = rows <= 0 || columns <= 0
}

/** A place in a photo, pixels from its left and upper edge. */
internal data class Point(val x: Double, val y: Double)

/**
 * A square of a photo, turned so that the head in it is upright.
 *
 * It may reach past the photo's border, where edges repeat. Positions are in pixels of the photo, origin
 * top left, y down; pixel `j` covers `[j, j + 1)`.
 *
 * @property x column of its middle.
 * @property y row of its middle.
 * @property size side in pixels, > 0.
 * @property roll angle in radians by which its upper side, and the head's up axis, leans towards image
 *   right.
 */
public data class Crop @JvmOverloads constructor(val x: Double, val y: Double, val size: Double, val roll: Double = 0.0) {
    init {
        require(size > 0 && listOf(x, y, size, roll).all { it.isFinite() }) { "no square of a photo: $this" }
    }

    /**
     * Cuts the square out of a photo, turns it upright and resamples it.
     *
     * @param resolution side of the result in pixels; null keeps the photo's scale.
     * @throws IllegalArgumentException if the square lies wholly outside the photo.
     */
    @JvmOverloads
    public fun extract(photo: Photo, resolution: Int? = null): Photo {
        val seen = visible(photo.height, photo.width)
        require(!seen.isEmpty) { "$this lies wholly outside a photo of ${photo.width} x ${photo.height} pixels" }
        val side = resolution ?: max(1, size.roundToInt())
        // A huge photo is halved, which is fast, while its pixels are much smaller than wanted; then one
        // finer picture is drawn and averaged, so that no detail is skipped.
        val samples = if (size > side) SAMPLES else 1
        val halvings = max(0, floor(log2(size / (samples * side * FINEST))).toInt())
        val margin = 1 shl halvings
        val (top, left) = max(0, seen.top - margin) to max(0, seen.left - margin)
        val part = Box(top, min(photo.height, seen.bottom + margin), left, min(photo.width, seen.right + margin))
        val small = halved(photo, halvings, part)
        val source = if (halvings == 0) part else Box(0, small.rows, 0, small.columns)
        val ontoPart = Affine.scaling(share(part.columns, halvings), share(part.rows, halvings)) *
            Affine.shift(-left.toDouble(), -top.toDouble())
        return draw(Pixels(small, source, repeat = true), ontoPart * toPhoto(samples * side), side, samples)
    }

    /** A point of the photo, pixels, in pixels of the crop resampled to [resolution]. */
    public fun toCrop(x: Float, y: Float, resolution: Int): Pair<Float, Float> {
        val (across, down) = x - this.x to y - this.y
        val scale = resolution / size
        val (cos, sin) = cos(roll) to sin(roll)
        return ((across * cos + down * sin) * scale + resolution / 2.0).toFloat() to
            ((down * cos - across * sin) * scale + resolution / 2.0).toFloat()
    }

    /** Where a point of the photo, pixels, lies in shares of the crop's sides. */
    internal fun shares(x: Double, y: Double): Point {
        val (across, down) = (x - this.x) / size to (y - this.y) / size
        return Point(across * cos(roll) + down * sin(roll) + 0.5, down * cos(roll) - across * sin(roll) + 0.5)
    }

    /** Pixels of the photo of a point given in shares of the crop's sides. */
    internal fun toPhoto(across: Double, down: Double): Point {
        val (u, v) = (across - 0.5) * size to (down - 0.5) * size
        return Point(x + u * cos(roll) - v * sin(roll), y + u * sin(roll) + v * cos(roll))
    }

    /**
     * Resamples values given on this crop to cells of the photo, bilinear.
     *
     * @param values square, over the whole crop.
     * @param outside value around the crop; null repeats its edges.
     * @return `grid.rows x grid.columns`, taken at the cells' centres.
     */
    @JvmOverloads
    public fun ontoGrid(values: Raster, grid: Grid, outside: Float? = null): Raster {
        val step = grid.step.toDouble()
        val ontoPhoto = Affine.shift(grid.left.toDouble(), grid.top.toDouble()) * Affine.scaling(step, step)
        return warp(values, grid.rows, grid.columns, toPhoto(values.rows).inverse() * ontoPhoto, outside)
    }

    /**
     * Resamples values given on this crop to another one, bilinear.
     *
     * @param values square, over the whole crop.
     * @param side of the result, which lies over the whole of [other].
     * @param outside value around this crop; null repeats its edges.
     */
    internal fun ontoCrop(values: Raster, other: Crop, side: Int, outside: Float? = null): Raster =
        warp(values, side, side, toPhoto(values.rows).inverse() * other.toPhoto(side), outside)

    /** The square on the photo scaled by a factor. */
    public fun scaled(factor: Double): Crop = Crop(x * factor, y * factor, size * factor, roll)

    /** The part of a photo that the square, turned, lies within. */
    internal fun visible(height: Int, width: Int): Box {
        val half = size / 2 * (abs(cos(roll)) + abs(sin(roll)))
        fun low(middle: Double, limit: Int) = floor(middle - half + WHOLE).toInt().coerceIn(0, limit)
        fun high(middle: Double, limit: Int) = ceil(middle + half - WHOLE).toInt().coerceIn(0, limit)
        return Box(low(y, height), high(y, height), low(x, width), high(x, width))
    }

    /** From pixels of the crop at a resolution to those of the photo. */
    internal fun toPhoto(resolution: Int): Affine {
        val (cos, sin) = cos(roll) * (size / resolution) to sin(roll) * (size / resolution)
        val middle = resolution / 2.0
        return Affine.shift(x, y) * Affine(cos, -sin, 0.0, sin, cos, 0.0) * Affine.shift(-middle, -middle)
    }

    public companion object {
        /**
         * The square around a face.
         *
         * @param landmarks triples, x and y in pixels of the photo, origin top left, y down.
         * @param roll of the head.
         * @param scale side over the larger side of the points' bounding box, which is turned by [roll], too.
         */
        @JvmStatic
        @JvmOverloads
        public fun around(landmarks: FloatArray, roll: Double = 0.0, scale: Double = CROP_SCALE): Crop {
            val (cos, sin) = cos(roll) to sin(roll)
            val (acrossLow, acrossHigh) = ends(landmarks) { x, y -> x * cos + y * sin }
            val (downLow, downHigh) = ends(landmarks) { x, y -> y * cos - x * sin }
            val (u, v) = (acrossLow + acrossHigh) / 2 to (downLow + downHigh) / 2
            val extent = max(acrossHigh - acrossLow, downHigh - downLow)
            return Crop(u * cos - v * sin, u * sin + v * cos, max(1.0, extent * scale), roll)
        }
    }
}

/**
 * A square picture of a photo.
 *
 * @param onto from places in the picture, [samples] times as large, to those of [source].
 * @param samples that are averaged along each side of a pixel: 1 or [SAMPLES].
 */
private fun draw(source: Pixels, onto: Affine, side: Int, samples: Int): Photo {
    val rgb = ByteArray(side * side * 3)
    val dx = fixed(onto.x(1.0, 0.0) - onto.x(0.0, 0.0))
    val dy = fixed(onto.y(1.0, 0.0) - onto.y(0.0, 0.0))
    for (row in 0 until side) {
        val x = fixed(onto.x(0.5, samples * row + 0.5) - 0.5)
        val y = fixed(onto.y(0.5, samples * row + 0.5) - 0.5)
        if (samples == 1) {
            source.line(x, y, dx, dy, rgb, row * side * 3, side)
        } else {
            source.lineOfMeans(x, y, dx, dy, rgb, row * side * 3, side)
        }
    }
    return Photo(side, side, rgb)
}

/** Rows or columns of a photo that is halved so many times, over those before: a single one stays one. */
private fun share(count: Int, halvings: Int): Double =
    if (halvings == 0) 1.0 else share(max(1, count / 2), halvings - 1) / min(2, count)

/** Smallest and largest of what triples' first two numbers give. */
internal inline fun ends(triples: FloatArray, of: (Double, Double) -> Double): Pair<Double, Double> {
    var (low, high) = Double.POSITIVE_INFINITY to Double.NEGATIVE_INFINITY
    for (i in triples.indices step 3) {
        val value = of(triples[i].toDouble(), triples[i + 1].toDouble())
        low = min(low, value)
        high = max(high, value)
    }
    return low to high
}
