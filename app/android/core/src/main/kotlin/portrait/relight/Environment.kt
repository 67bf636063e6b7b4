// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.floor
import kotlin.math.hypot
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import kotlin.math.sin
import kotlin.math.sqrt
import portrait.relight.Constants.Environment.CHEEK_AZIMUTH
import portrait.relight.Constants.Environment.EVEN
import portrait.relight.Constants.Environment.HEIGHT
import portrait.relight.Constants.Environment.MATTE_EXPONENT
import portrait.relight.Constants.Environment.RIM
import portrait.relight.Constants.Environment.ROLL_SAMPLES
import portrait.relight.Constants.Environment.SHADOW
import portrait.relight.Constants.Environment.WIDTH

/** Unit vectors towards the centres of a map's pixels, row by row. */
internal fun directions(height: Int): List<Vector> = List(height * 2 * height) {
    val (row, column) = it / (2 * height) to it % (2 * height)
    direction((0.5 - (column + 0.5) / (2 * height)) * 2 * PI, (0.5 - (row + 0.5) / height) * PI)
}

/** Solid angle in steradians of a pixel of each row; all pixels sum to 4 pi. */
internal fun solidAngles(height: Int): DoubleArray = DoubleArray(height) {
    (sin((0.5 - it.toDouble() / height) * PI) - sin((0.5 - (it + 1.0) / height) * PI)) * PI / height
}

/**
 * Three spheres lit by a map, as the camera sees them: square, three channels, linear; 0 around them.
 *
 * @property diffuse white Lambert sphere.
 * @property matteSilver rough metal (Phong lobe).
 * @property mirror perfect mirror.
 */
public class Spheres(public val diffuse: Raster, public val matteSilver: Raster, public val mirror: Raster)

/**
 * The light around a subject: a lat-long map.
 *
 * Linear, row 0 = +y (up), `u = 0.5 - az / 2 pi`, `v = 0.5 - el / pi`, pixel centres: the middle
 * column is behind the camera, the left half of the map lights image right. Its scale is the photo's
 * own: a white Lambert sphere rendered with it looks as such a sphere would in the photo.
 *
 * @property data H x 2H, three channels of radiance >= 0, linear sRGB primaries, camera frame.
 */
public class Environment(public val data: Raster) {
    init {
        require(data.channels == 3 && data.columns == 2 * data.rows) {
            "expected an environment map H x 2H x 3, got ${data.rows} x ${data.columns} x ${data.channels}"
        }
        require(data.data.all { it.isFinite() && it >= 0 }) {
            "an environment map holds finite radiances >= 0"
        }
    }

    private val towards = directions(data.rows)

    /** Radiance times solid angle, three numbers per pixel. */
    private val weighted = DoubleArray(data.data.size).also {
        val angle = solidAngles(data.rows)
        for (i in it.indices) it[i] = data.data[i] * angle[i / (data.columns * 3)]
    }

    /** Radiance integrated over the sphere, RGB. */
    public fun power(): DoubleArray = DoubleArray(3) { c -> (c until weighted.size step 3).sumOf { weighted[it] } }

    /** Irradiance over pi on a surface, RGB: radiance of a white Lambert surface, unshadowed. */
    public fun irradiance(normal: Vector): FloatArray {
        val facing = DoubleArray(towards.size)
        addFacing(normal.x, normal.y, normal.z, facing)
        return sum(facing, 1)
    }

    /**
     * The same, mean over many surfaces.
     *
     * @param normals triples, unit normals.
     * @param mask one channel: those where it is not 0 count.
     * @return null where none does.
     */
    internal fun meanIrradiance(normals: FloatArray, mask: FloatArray): FloatArray? {
        val facing = DoubleArray(towards.size)
        var count = 0
        for (i in mask.indices) {
            if (mask[i] == 0f) continue
            val k = i * 3
            addFacing(normals[k].toDouble(), normals[k + 1].toDouble(), normals[k + 2].toDouble(), facing)
            count++
        }
        return if (count == 0) null else sum(facing, count)
    }

    private val across = DoubleArray(towards.size) { towards[it].x }
    private val up = DoubleArray(towards.size) { towards[it].y }
    private val ahead = DoubleArray(towards.size) { towards[it].z }

    /** Adds to each direction twice its cosine to a normal, if it is lit from there. */
    private fun addFacing(x: Double, y: Double, z: Double, into: DoubleArray) {
        for (i in into.indices) {
            val cosine = x * across[i] + y * up[i] + z * ahead[i]
            into[i] += cosine + abs(cosine)
        }
    }

    private fun sum(facing: DoubleArray, count: Int): FloatArray {
        val sums = DoubleArray(3)
        for (i in facing.indices) for (c in 0 until 3) sums[c] += facing[i] * weighted[i * 3 + c]
        return FloatArray(3) { (sums[it] / (2 * PI * count)).toFloat() }
    }

    /** Radiance seen along a vector, RGB, bilinear. */
    public fun sample(vector: Vector): FloatArray {
        val (azimuth, elevation) = angles(vector)
        val x = (0.5 - azimuth / (2 * PI)) * data.columns - 0.5
        val y = (0.5 - elevation / PI) * data.rows - 0.5
        val (left, top) = floor(x).toInt() to floor(y).toInt()
        val (u, v) = x - left to y - top
        return FloatArray(3) { c ->
            val upper = at(top, left, c) * (1 - u) + at(top, left + 1, c) * u
            val lower = at(top + 1, left, c) * (1 - u) + at(top + 1, left + 1, c) * u
            (upper * (1 - v) + lower * v).toFloat()
        }
    }

    /** A pixel, also past the seam and beyond the poles, where the opposite meridian lies. */
    private fun at(row: Int, column: Int, channel: Int): Float {
        val (rows, columns) = data.rows to data.columns
        val over = row < 0 || row >= rows
        val y = if (row < 0) -1 - row else if (row >= rows) 2 * rows - 1 - row else row
        return data[y, (column + if (over) rows else 0).mod(columns), channel]
    }

    /**
     * Unit vector towards where most light comes from: the first moment of luminance.
     *
     * Light that is the same from everywhere has none: then it is the camera, (0, 0, 1).
     */
    public fun dominantDirection(): Vector {
        var moment = Vector(0.0, 0.0, 0.0)
        for (i in towards.indices) moment += towards[i] * luminanceOf(weighted, i * 3)
        if (moment.length < EVEN * max(luminanceOf(power(), 0), 1e-12)) return Vector(0.0, 0.0, 1.0)
        return moment.normalized()
    }

    /** Luminance of irradiance over pi on the cheeks turned to image left and image right. */
    public fun cheekIrradiance(headPose: Matrix = Matrix.IDENTITY): Pair<Double, Double> {
        val (left, right) = cheekNormals(headPose).map { irradiance(it).let { e -> luminance(e[0], e[1], e[2]) } }
        return left.toDouble() to right.toDouble()
    }

    /** Irradiance of the lit cheek over that of the shadow cheek, >= 1. */
    public fun keyToFill(headPose: Matrix = Matrix.IDENTITY): Double {
        val (left, right) = cheekIrradiance(headPose)
        return max(left, right) / max(min(left, right), SHADOW)
    }

    /**
     * Turns the light about the camera's axis, its power kept.
     *
     * @param angle radians, > 0 clockwise as the viewer sees it: from above towards image right.
     */
    public fun roll(angle: Double): Environment {
        if (angle == 0.0) return this
        val (fine, solid) = ROLL_SAMPLES * data.rows to solidAngles(ROLL_SAMPLES * data.rows)
        val sums = DoubleArray(data.data.size)
        for ((i, towards) in directions(fine).withIndex()) {
            val (row, column) = i / (2 * fine) to i % (2 * fine)
            val cell = (row / ROLL_SAMPLES * data.columns + column / ROLL_SAMPLES) * 3
            val seen = sample(rolled(towards, -angle))
            for (c in 0 until 3) sums[cell + c] += seen[c] * solid[row]
        }
        val own = solidAngles(data.rows)
        val turned = FloatArray(sums.size) { (sums[it] / own[it / (data.columns * 3)]).toFloat() }
        val (before, after) = power() to Environment(Raster(data.rows, data.columns, 3, turned)).power()
        val kept = FloatArray(3) { (before[it] / max(after[it], 1e-20)).toFloat() }
        return Environment(Raster(data.rows, data.columns, 3, FloatArray(turned.size) { turned[it] * kept[it % 3] }))
    }

    /** Diffuse, matte silver and mirror sphere under this light, [size] pixels each. */
    public fun spheres(size: Int = 128): Spheres {
        val (diffuse, matte, mirror) = List(3) { Raster(size, size, 3) }
        for (i in 0 until size * size) {
            val x = (i % size + 0.5) / size * 2 - 1
            val y = 1 - (i / size + 0.5) / size * 2
            val radius = hypot(x, y)
            if ((1 - radius) * size / 2 + 0.5 <= 0) continue
            val inside = min(radius, RIM)
            val shrink = inside / max(radius, 1e-9)
            val normal = Vector(x * shrink, y * shrink, sqrt(1 - inside * inside))
            val reflected = normal * (2 * normal.z) - Vector(0.0, 0.0, 1.0)
            irradiance(normal).copyInto(diffuse.data, i * 3)
            matte(reflected).copyInto(matte.data, i * 3)
            sample(reflected).copyInto(mirror.data, i * 3)
        }
        return Spheres(diffuse, matte, mirror)
    }

    private fun matte(reflected: Vector): FloatArray {
        val angle = solidAngles(data.rows)
        val sums = DoubleArray(3)
        var total = 0.0
        for (i in towards.indices) {
            val lobe = max(reflected.dot(towards[i]), 0.0).pow(MATTE_EXPONENT)
            total += lobe * angle[i / data.columns]
            for (c in 0 until 3) sums[c] += lobe * weighted[i * 3 + c]
        }
        return FloatArray(3) { (sums[it] / total).toFloat() }
    }

    public companion object {
        /** The same radiance from everywhere. */
        @JvmStatic
        @JvmOverloads
        public fun uniform(red: Float, green: Float, blue: Float, height: Int = HEIGHT): Environment {
            val color = floatArrayOf(red, green, blue)
            return Environment(Raster(height, 2 * height, 3, FloatArray(height * 2 * height * 3) { color[it % 3] }))
        }

        private fun luminanceOf(rgb: DoubleArray, at: Int): Double =
            rgb[at] * LUMINANCE[0] + rgb[at + 1] * LUMINANCE[1] + rgb[at + 2] * LUMINANCE[2]
    }
}

/** Normals of the cheeks turned to image left and image right, camera frame. */
internal fun cheekNormals(headPose: Matrix): List<Vector> =
    listOf(-CHEEK_AZIMUTH, CHEEK_AZIMUTH).map { headPose * direction(it, 0.0) }
