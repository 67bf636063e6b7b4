// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.ceil
import kotlin.math.cos
import kotlin.math.floor
import kotlin.math.log2
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import kotlin.math.sin

/**
 * Where a network looks: a square of a photo, possibly turned; may reach past the photo's border.
 *
 * @property x of its middle, pixels from the photo's left edge.
 * @property y of its middle, pixels from the photo's upper edge.
 * @property side pixels of the photo.
 * @property angle of its own x axis from the photo's, radians, clockwise as seen (y points down).
 */
internal class Region(val x: Double, val y: Double, val side: Double, val angle: Double = 0.0) {
    /** Pixels of the photo of a point in [0, 1], in parts of the region's side. */
    fun toPhoto(across: Double, down: Double): Point {
        val (u, v) = (across - 0.5) * side to (down - 0.5) * side
        return Point(x + u * cos(angle) - v * sin(angle), y + u * sin(angle) + v * cos(angle))
    }

    companion object {
        /** The smallest square around a photo. */
        fun whole(photo: Pyramid, angle: Double = 0.0): Region = Region(
            photo.width / 2.0,
            photo.height / 2.0,
            max(photo.height, photo.width).toDouble(),
            angle,
        )
    }
}

/** A photo and its halves, quarters and so on, each made when it is first asked for. */
internal class Pyramid(photo: Photo) {
    val height: Int = photo.height
    val width: Int = photo.width

    /** The last level: its shorter side is a pixel. */
    val finest: Int = floor(log2(min(height, width).toDouble())).toInt()

    /** Whether the photo's mirror image is seen; where to look is meant likewise. */
    var mirrored: Boolean = false
    private val levels = sortedMapOf(0 to photo)

    /** Pixels of a level that were looked at while there was no whole one. */
    private val seen = HashMap<Int, Int>()

    /** Of such a level the part that was made last: a face is looked at again where it was. */
    private val parts = HashMap<Int, Part>()

    /** The photo halved [n] times, 2 x 2 pixels averaged. */
    fun level(n: Int): Photo = levels.getOrPut(n) {
        val larger = max(levels.headMap(n).lastKey(), n - 2)
        halved(level(larger), n - larger)
    }

    /** The part of a level in a box. */
    private class Part(val box: Box, val photo: Photo)

    /** A level around a box; only a part is made, as long as making all of it would take longer. */
    private fun around(n: Int, box: Box): Part {
        if (n !in levels) {
            parts[n]?.takeIf { box in it.box }?.let { return it }
            val wide = box.wider(max(1, width shr n), max(1, height shr n))
            if (!worthAll(n, wide)) return Part(wide, part(n, wide)).also { parts[n] = it }
        }
        val photo = level(n)
        return Part(Box(0, photo.rows, 0, photo.columns), photo)
    }

    private fun part(n: Int, box: Box): Photo {
        val larger = levels.headMap(n).lastKey()
        val source = levels.getValue(larger)
        val times = n - larger
        return halved(source, times, Box(box.top shl times, box.bottom shl times, box.left shl times, box.right shl times))
    }

    private fun worthAll(n: Int, box: Box): Boolean {
        val all = seen.getOrElse(n) { 0 } + box.rows * box.columns
        seen[n] = all
        return all >= (height shr n) * (width shr n)
    }

    private operator fun Box.contains(other: Box): Boolean =
        top <= other.top && other.bottom <= bottom && left <= other.left && other.right <= right

    /** With a margin, within so many columns and rows. */
    private fun Box.wider(width: Int, height: Int): Box {
        val (down, across) = rows / MARGIN to columns / MARGIN
        return Box(max(top - down, 0), min(bottom + down, height), max(left - across, 0), min(right + across, width))
    }

    /**
     * What a network sees of a region: bilinear, from the level just finer than its pixels. As MediaPipe
     * does, input pixel (0, 0) is taken at the region's corner itself, counted in pixel centres.
     *
     * @param side of the network's input, pixels.
     * @param repeat whether the photo's edge repeats outside it; else it is black there.
     * @return three channels from 0 to 255; null if the region misses the photo.
     */
    fun sample(region: Region, side: Int, repeat: Boolean): FloatArray? {
        val n = max(0, floor(log2(region.side / side)).toInt()).coerceAtMost(finest)
        val scale = 0.5.pow(n)
        val step = region.side * scale / side
        val (cos, sin) = cos(region.angle) * step to sin(region.angle) * step
        val across = region.x * scale - side / 2.0 * (cos - sin)
        val sign = if (mirrored) -1 else 1
        val left = if (mirrored) width * scale - 1 - across else across
        val top = region.y * scale - side / 2.0 * (cos + sin)
        val columns = reached(left, sign * side * cos, -sign * side * sin, max(1, width shr n))
        val rows = reached(top, side * sin, side * cos, max(1, height shr n))
        if (columns.isEmpty() || rows.isEmpty()) return null
        val box = Box(rows.first, rows.last + 1, columns.first, columns.last + 1)
        val part = around(n, box)
        val (x, y) = left - box.left to top - box.top
        val pixels = Pixels(part.photo, box.moved(-part.box.top, -part.box.left), repeat)
        val result = FloatArray(side * side * 3)
        for (v in 0 until side) {
            val start = fixed(x - sign * v * sin)
            pixels.line(start, fixed(y + v * cos), fixed(sign * cos), fixed(sin), result, v * side * 3, side)
        }
        return result
    }

    /** Pixels of a photo's axis that a square from [start] on, so long along its sides, is drawn from. */
    private fun reached(start: Double, along: Double, across: Double, count: Int): IntRange {
        val corners = listOf(start, start + along, start + across, start + along + across)
        val low = max(floor(corners.min()).toInt() - REACH, 0)
        return low until min(ceil(corners.max()).toInt() + REACH + 1, count)
    }

    private companion object {
        /** Pixels beside the photo that a network may still look at. */
        const val REACH = 2

        /** A part is made wider by its side over this, so that the next look lies within. */
        const val MARGIN = 8
    }
}
