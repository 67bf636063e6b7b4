// SPDX-License-Identifier: Apache-2.0
/**
 * Frames and angles.
 *
 * Camera frame: right-handed, +x image right, +y up, +z towards the viewer. A light direction is the
 * unit vector from the subject *towards* the light. Azimuth 0 and elevation 0 is a light at the
 * camera; azimuth > 0 is image right, elevation > 0 is up:
 * `l = (sin az cos el, sin el, cos az cos el)`.
 */
package portrait.relight

import kotlin.math.PI
import kotlin.math.atan2
import kotlin.math.cos
import kotlin.math.hypot
import kotlin.math.max
import kotlin.math.sin
import kotlin.math.sqrt

/** A vector, camera frame unless said otherwise. */
public data class Vector(val x: Double, val y: Double, val z: Double) {
    public operator fun plus(other: Vector): Vector = Vector(x + other.x, y + other.y, z + other.z)

    public operator fun minus(other: Vector): Vector = Vector(x - other.x, y - other.y, z - other.z)

    public operator fun times(factor: Double): Vector = Vector(x * factor, y * factor, z * factor)

    public fun dot(other: Vector): Double = x * other.x + y * other.y + z * other.z

    public fun cross(other: Vector): Vector = Vector(
        y * other.z - z * other.y,
        z * other.x - x * other.z,
        x * other.y - y * other.x,
    )

    public val length: Double get() = sqrt(dot(this))

    /** The same direction, length 1; a zero vector stays zero. */
    public fun normalized(): Vector = this * (1 / max(length, 1e-12))
}

/** Degrees to radians. */
public fun radians(degrees: Double): Double = degrees * PI / 180

/** Radians to degrees. */
public fun degrees(radians: Double): Double = radians * 180 / PI

/** Unit vector from azimuth and elevation in radians. */
public fun direction(azimuth: Double, elevation: Double): Vector =
    Vector(sin(azimuth) * cos(elevation), sin(elevation), cos(azimuth) * cos(elevation))

/** Azimuth in (-pi, pi] and elevation in [-pi/2, pi/2] of a vector, radians. */
public fun angles(vector: Vector): Pair<Double, Double> =
    atan2(vector.x, vector.z) to atan2(vector.y, hypot(vector.x, vector.z))

/** Angle in radians between two vectors, exact also near 0 and pi. */
public fun angleBetween(a: Vector, b: Vector): Double = atan2(a.cross(b).length, a.dot(b))

/**
 * A 3 x 3 matrix, mostly a rotation.
 *
 * @property m nine numbers, row by row.
 */
public class Matrix(public val m: DoubleArray) {
    init {
        require(m.size == 9) { "a 3 x 3 matrix has nine numbers, got ${m.size}" }
    }

    public operator fun get(row: Int, column: Int): Double = m[row * 3 + column]

    public operator fun times(v: Vector): Vector = Vector(
        m[0] * v.x + m[1] * v.y + m[2] * v.z,
        m[3] * v.x + m[4] * v.y + m[5] * v.z,
        m[6] * v.x + m[7] * v.y + m[8] * v.z,
    )

    public operator fun times(other: Matrix): Matrix = Matrix(
        DoubleArray(9) { i ->
            (0 until 3).sumOf { k -> m[i / 3 * 3 + k] * other.m[k * 3 + i % 3] }
        },
    )

    public val transposed: Matrix get() = Matrix(DoubleArray(9) { m[it % 3 * 3 + it / 3] })

    /** Each column turned about the camera's axis; see [portrait.relight.rolled]. */
    public fun rolled(angle: Double): Matrix {
        val (x, y, z) = List(3) { rolled(column(it), angle) }
        return ofRows(x, y, z).transposed
    }

    /** A column as a vector. */
    public fun column(index: Int): Vector = Vector(m[index], m[3 + index], m[6 + index])

    public companion object {
        public val IDENTITY: Matrix = Matrix(doubleArrayOf(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))

        /** With these rows. */
        public fun ofRows(a: Vector, b: Vector, c: Vector): Matrix =
            Matrix(doubleArrayOf(a.x, a.y, a.z, b.x, b.y, b.z, c.x, c.y, c.z))
    }
}

/** A vector turned about the camera's axis, clockwise as the viewer sees it: at pi / 2, up goes to image right. */
public fun rolled(vector: Vector, angle: Double): Vector {
    val (cos, sin) = cos(angle) to sin(angle)
    return Vector(vector.x * cos + vector.y * sin, vector.y * cos - vector.x * sin, vector.z)
}

/** Angle in radians, (-pi, pi], by which a head's up axis leans towards image right. */
public fun rollOf(headPose: Matrix): Double = atan2(headPose[0, 1], headPose[1, 1])

/**
 * How a head is turned: yaw > 0 nose to image right, pitch > 0 up, and roll, > 0 counter-clockwise as
 * angles in a plane with y up are; degrees.
 */
public data class HeadAngles(val yawDeg: Double, val pitchDeg: Double, val rollDeg: Double)

/** Yaw, pitch and roll of a rotation from head to camera. */
public fun headAngles(headPose: Matrix): HeadAngles {
    val (yaw, pitch) = angles(headPose.column(2))
    return HeadAngles(degrees(yaw), degrees(pitch), -degrees(rollOf(headPose)))
}

/** Each triple of numbers scaled to unit length, in place; a zero vector stays zero. */
internal fun normalize(triples: FloatArray) {
    var i = 0
    while (i < triples.size) {
        val x = triples[i]
        val y = triples[i + 1]
        val z = triples[i + 2]
        val scale = 1 / max(sqrt(x * x + y * y + z * z), 1e-12f)
        triples[i] = x * scale
        triples[i + 1] = y * scale
        triples[i + 2] = z * scale
        i += 3
    }
}

/** 0 below [low], 1 above [high], a smooth cubic between them. */
internal fun smoothstep(x: Float, low: Float, high: Float): Float {
    val t = ((x - low) / (high - low)).coerceIn(0f, 1f)
    return t * t * (3 - 2 * t)
}
