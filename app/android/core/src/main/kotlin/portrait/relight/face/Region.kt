// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.abs
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
    private val levels = arrayListOf(photo)

    /** The photo halved [n] times, 2 x 2 pixels averaged. */
    fun level(n: Int): Photo {
        while (levels.size <= n) levels += shrink(levels.last(), 2)
        return levels[n]
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
        val finest = floor(log2(max(min(height, width), 1).toDouble())).toInt()
        val n = max(0, floor(log2(region.side / side)).toInt()).coerceAtMost(finest)
        val (level, scale) = level(n) to 0.5.pow(n)
        val step = region.side * scale / side
        val (cos, sin) = cos(region.angle) * step to sin(region.angle) * step
        val left = region.x * scale - side / 2.0 * (cos - sin)
        val top = region.y * scale - side / 2.0 * (cos + sin)
        if (misses(left, side * cos, -side * sin, level.width) || misses(top, side * sin, side * cos, level.height)) {
            return null
        }
        val result = FloatArray(side * side * 3)
        for (i in 0 until side * side) {
            val (u, v) = i % side to i / side
            put(level, left + u * cos - v * sin, top + u * sin + v * cos, repeat, result, i * 3)
        }
        return result
    }

    /** Whether a square from [start] that reaches so far along its sides lies beside a photo's axis. */
    private fun misses(start: Double, along: Double, across: Double, count: Int): Boolean {
        val corners = listOf(start, start + along, start + across, start + along + across)
        val low = max(floor(corners.min()).toInt() - REACH, 0)
        val high = min(ceil(corners.max()).toInt() + REACH + 1, count)
        return low >= high
    }

    /** A place of a photo, counted in pixel centres, bilinear. */
    private fun put(photo: Photo, x: Double, y: Double, repeat: Boolean, into: FloatArray, at: Int) {
        val (column, row) = floor(x).toInt() to floor(y).toInt()
        for (corner in 0 until 4) {
            val (i, j) = column + (corner and 1) to row + (corner shr 1)
            if (!repeat && (i < 0 || i >= photo.width || j < 0 || j >= photo.height)) continue
            val weight = ((1 - abs(x - i)) * (1 - abs(y - j))).toFloat()
            val from = (j.coerceIn(0, photo.height - 1) * photo.width + i.coerceIn(0, photo.width - 1)) * 3
            for (c in 0 until 3) into[at + c] += weight * (photo.rgb[from + c].toInt() and 255)
        }
    }

    private companion object {
        /** Pixels beside the photo that a network may still look at. */
        const val REACH = 2
    }
}
