// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round
import portrait.relight.Constants.Geometry.CROP_SCALE

/**
 * Cells laid over part of a photo.
 *
 * @property left photo column of the left edge.
 * @property top photo row of the upper edge.
 * @property step photo pixels per cell.
 */
public data class Grid(val left: Int, val top: Int, val step: Int, val rows: Int, val columns: Int)

/** Rows `top until bottom` and columns `left until right` of a photo. */
internal data class Box(val top: Int, val bottom: Int, val left: Int, val right: Int)

/**
 * A square of whole pixels of a photo; may reach past its border, where edges repeat.
 *
 * @property left column of the first pixel, may be negative.
 * @property top row of the first pixel, may be negative.
 * @property size side in pixels, >= 1.
 */
public data class Crop(val left: Int, val top: Int, val size: Int) {
    init {
        require(size >= 1) { "a crop has at least one pixel, got $size" }
    }

    /**
     * Cuts the square out of a photo and resamples it.
     *
     * @param resolution side of the result in pixels; null keeps the crop's own.
     * @return averaged over area when it shrinks, bilinear when it grows.
     * @throws IllegalArgumentException if the square lies wholly outside the photo.
     */
    public fun extract(photo: Photo, resolution: Int? = null): Photo {
        val seen = visible(photo.height, photo.width)
        require(seen.top < seen.bottom && seen.left < seen.right) {
            "$this lies wholly outside a photo of ${photo.width} x ${photo.height} pixels"
        }
        val side = resolution ?: size
        if (size > 2 * side) {
            // Shrinking first keeps a huge photo's padding out of memory.
            val part = Window(photo, seen.left, seen.top, seen.bottom - seen.top, seen.right - seen.left)
            return extractShrunk(part, seen, side)
        }
        val square = Window(photo, left, top, size, size)
        return Photo.rounded(
            if (side <= size) resizeArea(square, side, side) else resizeLinear(square, side, side),
        )
    }

    /** Averages by a whole factor, then cuts the exact square at the reduced size. */
    private fun extractShrunk(part: Rows, seen: Box, side: Int): Photo {
        val factor = size / side
        val rows = max(1, part.rows / factor)
        val columns = max(1, part.columns / factor)
        val height = min(part.rows, rows * factor)
        val width = min(part.columns, columns * factor)
        val small = Photo.rounded(resizeArea(Window(part, 0, 0, height, width), rows, columns))
        val step = size.toDouble() / side
        val across = cells(left - seen.left, step, 1.0 / min(factor, part.columns))
        val down = cells(top - seen.top, step, 1.0 / min(factor, part.rows))
        return Photo.rounded(warp(small, side, side, down, across))
    }

    /** A point of the photo, pixels, in pixels of the crop resampled to [resolution]. */
    public fun toCrop(x: Float, y: Float, resolution: Int): Pair<Float, Float> {
        val scale = (resolution.toDouble() / size).toFloat()
        return (x - left) * scale to (y - top) * scale
    }

    /**
     * Resamples values given on this crop to cells of the photo, bilinear, edges repeated.
     *
     * @param values square, over the whole crop.
     * @return `grid.rows x grid.columns`, taken at the cells' centres.
     */
    public fun ontoGrid(values: Raster, grid: Grid): Raster {
        val scale = values.rows.toDouble() / size
        val step = grid.step.toDouble()
        return warp(
            values,
            grid.rows,
            grid.columns,
            cells(grid.top - top, step, scale),
            cells(grid.left - left, step, scale),
        )
    }

    /** The square on the photo scaled by a factor, to whole pixels. */
    public fun scaled(factor: Double): Crop = Crop(
        round(left * factor).toInt(),
        round(top * factor).toInt(),
        max(1, round(size * factor).toInt()),
    )

    /** The part of a photo that the crop covers. */
    internal fun visible(height: Int, width: Int): Box = Box(
        top.coerceIn(0, height),
        (top + size).coerceIn(0, height),
        left.coerceIn(0, width),
        (left + size).coerceIn(0, width),
    )

    public companion object {
        /**
         * The square around a face.
         *
         * @param landmarks triples, x and y in pixels of the photo, origin top left, y down.
         * @param scale side over the larger side of the points' bounding box.
         */
        public fun around(landmarks: FloatArray, scale: Double = CROP_SCALE): Crop {
            val box = bounds(landmarks)
            val extent = max(box[2] - box[0], box[3] - box[1])
            val size = max(1, round(extent * scale).toInt())
            val left = floor((box[0] + box[2]) / 2 - size / 2f + 0.5f).toInt()
            val top = floor((box[1] + box[3]) / 2 - size / 2f + 0.5f).toInt()
            return Crop(left, top, size)
        }

        /** Cell `u` lies at `offset + (u + 0.5) * step` pixels, of which one has [scale] values. */
        private fun cells(offset: Int, step: Double, scale: Double): Axis =
            Axis(step * scale, (offset + 0.5 * step) * scale - 0.5)
    }
}

/** Left, top, right and bottom of the bounding box of triples' first two numbers. */
internal fun bounds(landmarks: FloatArray): FloatArray {
    var (left, right) = Float.MAX_VALUE to -Float.MAX_VALUE
    var (top, bottom) = Float.MAX_VALUE to -Float.MAX_VALUE
    for (i in landmarks.indices step 3) {
        left = min(left, landmarks[i])
        right = max(right, landmarks[i])
        top = min(top, landmarks[i + 1])
        bottom = max(bottom, landmarks[i + 1])
    }
    return floatArrayOf(left, top, right, bottom)
}
