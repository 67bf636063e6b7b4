// SPDX-License-Identifier: Apache-2.0
/**
 * Where a face's light reaches: a square around the head and a wider one around the body.
 *
 * Both, and those of several faces, share the photo without a seam.
 */
package portrait.relight

import kotlin.math.max
import kotlin.math.min
import portrait.relight.Constants.Geometry.CROP_SCALE
import portrait.relight.Constants.Reach.AWAY
import portrait.relight.Constants.Reach.BEYOND
import portrait.relight.Constants.Reach.BODY_ABOVE
import portrait.relight.Constants.Reach.BODY_BELOW
import portrait.relight.Constants.Reach.BODY_BESIDE
import portrait.relight.Constants.Reach.COARSEST
import portrait.relight.Constants.Reach.FADE
import portrait.relight.Constants.Reach.NOWHERE
import portrait.relight.Constants.Reach.OPEN
import portrait.relight.Constants.Reach.WINDOW_SIDE
import portrait.relight.Constants.Reach.WORK_SIDE

/** The squares that a face's light falls on: its crop, and a wider one, turned alike, if any. */
internal class Reach(val head: Crop, val body: Crop?)

/** The smallest square around what a photo shows of the body; null if it is in the head's crop. */
internal fun bodyCrop(head: Crop, photo: Photo): Crop? {
    val (width, height) = photo.width.toDouble() to photo.height.toDouble()
    val corners = listOf(0.0, width).flatMap { x -> listOf(0.0, height).map { y -> head.shares(x, y) } }
    val (west, east) = corners.minOf { it.x } - 0.5 to corners.maxOf { it.x } - 0.5
    val (north, south) = corners.minOf { it.y } - 0.5 to corners.maxOf { it.y } - 0.5
    if (maxOf(-west, -north, east, south) <= 0.5 - OPEN) return null
    val (left, top) = max(west - BEYOND, -BODY_BESIDE.toDouble()) to max(north - BEYOND, -BODY_ABOVE.toDouble())
    val (right, bottom) = min(east + BEYOND, BODY_BESIDE.toDouble()) to min(south + BEYOND, BODY_BELOW.toDouble())
    if (left >= right || top >= bottom) return null
    val (x, y) = head.toPhoto((left + right) / 2 + 0.5, (top + bottom) / 2 + 0.5)
    return Crop(x, y, max(right - left, bottom - top) * head.size, head.roll)
}

/** Cells over all that light reaches; rows and columns are multiples of [COARSEST]. */
internal fun gridOver(photo: Photo, reaches: List<Reach>): Grid {
    val crops = reaches.flatMap { listOfNotNull(it.head, it.body) }
    val seen = hull(crops.map { it.visible(photo.height, photo.width) })
    require(!seen.isEmpty) { "no face lies in the photo" }
    val step = max(1, ceilDiv(max(seen.rows, seen.columns), WORK_SIDE))
    fun cells(side: Int) = ceilDiv(side, step * COARSEST) * COARSEST
    return Grid(seen.left, seen.top, step, cells(seen.rows), cells(seen.columns))
}

/** The quotient, rounded up; [b] > 0. */
internal fun ceilDiv(a: Int, b: Int): Int = -Math.floorDiv(-a, b)

/** The cells of a grid in a box, or cells of [scale] times their side over it. */
internal fun partOf(grid: Grid, box: Box, scale: Int = 1): Grid = Grid(
    grid.left + box.left * grid.step,
    grid.top + box.top * grid.step,
    grid.step * scale,
    box.rows / scale,
    box.columns / scale,
)

/** A box moved. */
internal fun Box.moved(down: Int, right: Int): Box = Box(top + down, bottom + down, left + right, this.right + right)

/** A box counted from the corner of another one around it. */
internal fun inner(box: Box, outer: Box): Box = box.moved(-outer.top, -outer.left)

/** The smallest box around some. */
internal fun hull(boxes: List<Box>): Box = Box(
    boxes.minOf { it.top },
    boxes.maxOf { it.bottom },
    boxes.minOf { it.left },
    boxes.maxOf { it.right },
)

/**
 * The smallest box around cells; null where there is none.
 *
 * @param marked whether a cell, counted row by row, is one of them.
 */
internal inline fun bounds(rows: Int, columns: Int, marked: (Int) -> Boolean): Box? {
    var top = rows
    var bottom = -1
    var left = columns
    var right = -1
    for (y in 0 until rows) {
        for (x in 0 until columns) {
            if (!marked(y * columns + x)) continue
            top = min(top, y)
            bottom = y
            left = min(left, x)
            right = max(right, x)
        }
    }
    return if (bottom < 0) null else Box(top, bottom + 1, left, right + 1)
}

/** A box in a grid of so many rows and columns, with a margin, in steps of [COARSEST]; one step where it is null. */
internal fun Box?.around(rows: Int, columns: Int): Box {
    val (top, bottom, left, right) = this ?: Box(0, 1, 0, 1)
    fun low(first: Int) = max(0, first / COARSEST - 1) * COARSEST
    fun high(stop: Int, limit: Int) = min(limit, ((stop - 1) / COARSEST + 2) * COARSEST)
    return Box(low(top), high(bottom, rows), low(left), high(right, columns))
}

/** What of a grid some rows and columns of the photo lie on, in steps of [COARSEST]. */
internal fun boxOf(extent: Box, grid: Grid): Box {
    val unit = grid.step * COARSEST
    fun low(start: Int, first: Int) = max(0, Math.floorDiv(start - first, unit) * COARSEST)
    fun high(stop: Int, first: Int, limit: Int) = min(limit, ceilDiv(stop - first, unit) * COARSEST)
    return Box(
        low(extent.top, grid.top),
        high(extent.bottom, grid.top, grid.rows),
        low(extent.left, grid.left),
        high(extent.right, grid.left, grid.columns),
    )
}

/**
 * 1 inside a square, falling smoothly to 0 at those of its sides that lie in the photo; one beyond its
 * border need not fade, and between the two it changes smoothly.
 */
internal fun window(crop: Crop, grid: Grid, photo: Photo): Raster {
    val last = WINDOW_SIDE - 1
    val along = FloatArray(WINDOW_SIDE) { smoothstep((it + 0.5f) / WINDOW_SIDE, 0f, FADE) }
    fun open(u: Double, v: Double): Float {
        val foot = crop.toPhoto(u, v)
        val beyond = maxOf(-foot.x, foot.x - photo.width, -foot.y, foot.y - photo.height) / crop.size
        return smoothstep(beyond.toFloat(), 0f, OPEN)
    }
    fun side(foot: (Double) -> Float) = FloatArray(WINDOW_SIDE) { foot((it + 0.5) / WINDOW_SIDE) }
    val (left, right) = side { open(0.0, it) } to side { open(1.0, it) }
    val (upper, lower) = side { open(it, 0.0) } to side { open(it, 1.0) }
    fun ramp(faded: Float, opened: Float) = faded + (1 - faded) * opened

    val square = Raster(WINDOW_SIDE, WINDOW_SIDE, 1)
    for (y in 0 until WINDOW_SIDE) {
        for (x in 0 until WINDOW_SIDE) {
            square.data[y * WINDOW_SIDE + x] = ramp(along[x], left[y]) * ramp(along[last - x], right[y]) *
                ramp(along[y], upper[x]) * ramp(along[last - y], lower[x])
        }
    }
    return crop.ontoGrid(square, grid, 0f)
}

/**
 * One face's cells.
 *
 * @property box what of the grid its light lies in.
 * @property headBox what of it the head's square lies in.
 * @property head how far the head's square counts on its cells, not the body's.
 * @property share how far light reaches on the cells of [box] that is this face's.
 */
internal class Place(val box: Box, val headBox: Box, val head: Raster, val share: Raster)

/** One face's cells, as if it were the only one; [seen] is where the photo shows the body. */
internal fun place(reach: Reach, seen: Box?, grid: Grid, photo: Photo): Place {
    val headBox = boxOf(reach.head.visible(photo.height, photo.width), grid)
    val near = window(reach.head, partOf(grid, headBox), photo)
    if (reach.body == null || seen == null) return Place(headBox, headBox, near, near.map { it })
    val box = hull(listOf(headBox, boxOf(seen, grid)))
    val share = enlarged(reach.body, partOf(grid, box)) { window(reach.body, it, photo) }
    within(inner(headBox, box), share.columns) { i, k -> share.data[k] += near.data[i] * (1 - share.data[k]) }
    return Place(box, headBox, near, share)
}

/** Visits the cells of a box in a raster of so many columns: by its own count and by that in the raster. */
internal inline fun within(box: Box, columns: Int, visit: (own: Int, whole: Int) -> Unit) {
    var own = 0
    for (y in box.top until box.bottom) {
        val line = y * columns
        for (x in box.left until box.right) visit(own++, line + x)
    }
}

/** Values of a wide square, drawn on coarse cells and enlarged. */
internal inline fun enlarged(crop: Crop, cells: Grid, draw: (Grid) -> Raster): Raster {
    val scale = scaleFor(crop.size / cells.step / WINDOW_SIDE)
    val coarse = partOf(cells, Box(0, cells.rows, 0, cells.columns), scale)
    return resizeLinear(draw(coarse), cells.rows, cells.columns)
}

/** Side of coarse cells, in cells, that a detail of a radius in cells is drawn well on. */
internal fun scaleFor(radius: Double): Int = listOf(COARSEST, COARSEST / 2, 1).first { it <= max(1.0, radius) }

/** Where several faces' light reaches, gives the nearest most of it; changes their shares. */
internal fun shareOut(places: List<Place>, heads: List<Crop>, grid: Grid) {
    if (places.size < 2) return
    val total = FloatArray(grid.rows * grid.columns)
    val widest = FloatArray(total.size)
    for ((place, head) in places.zip(heads)) {
        val share = place.share.data
        val near = nearness(head, partOf(grid, place.box))
        within(place.box, grid.columns) { i, whole ->
            widest[whole] = max(widest[whole], share[i])
            val weight = share[i] * near[i]
            share[i] = weight * weight
            total[whole] += share[i]
        }
    }
    for (place in places) {
        val share = place.share.data
        within(place.box, grid.columns) { i, whole -> share[i] *= widest[whole] / (total[whole] + NOWHERE) }
    }
}

/** How near cells are to a face, in its own heights: large at its middle, never 0. */
private fun nearness(head: Crop, cells: Grid): FloatArray {
    val height = head.size / CROP_SCALE
    val x = DoubleArray(cells.columns) { ((it + 0.5) * cells.step + cells.left - head.x) / height }
    val result = FloatArray(cells.rows * cells.columns)
    for (row in 0 until cells.rows) {
        val y = ((row + 0.5) * cells.step + cells.top - head.y) / height
        for (k in x.indices) result[row * cells.columns + k] = (1 / (AWAY + x[k] * x[k] + y * y)).toFloat()
    }
    return result
}
