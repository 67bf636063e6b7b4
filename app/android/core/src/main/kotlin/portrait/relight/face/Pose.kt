// SPDX-License-Identifier: Apache-2.0
/**
 * Fitting the mean face, in centimetres, to a face's landmarks.
 *
 * References: DeMenthon & Davis 1995, "Model-Based Object Pose in 25 Lines of Code" (the start);
 * Levenberg 1944, Marquardt 1963 (least squares of the distances in the photo).
 */
package portrait.relight

import kotlin.math.abs
import kotlin.math.cos
import kotlin.math.max
import kotlin.math.sin
import kotlin.math.sqrt
import portrait.relight.Constants.Pose.FOCAL
import portrait.relight.Constants.Mesh.POINTS

/**
 * Where a head stands.
 *
 * @property rotation head to camera frame.
 * @property translation of the head's origin in camera frame, cm, origin at the camera.
 */
public class Pose(public val rotation: Matrix, public val translation: Vector) {
    /** 4 x 4 transform from camera to head frame, row by row. */
    public val headFromCam: DoubleArray
        get() {
            val turn = rotation.transposed
            val shift = turn * translation * -1.0
            return doubleArrayOf(
                turn[0, 0], turn[0, 1], turn[0, 2], shift.x,
                turn[1, 0], turn[1, 1], turn[1, 2], shift.y,
                turn[2, 0], turn[2, 1], turn[2, 2], shift.z,
                0.0, 0.0, 0.0, 1.0,
            )
        }
}

/**
 * Fits the mean face to landmarks, under the assumed focal length.
 *
 * @param landmarks triples, x and y in pixels of the photo.
 * @param height of the photo; its middle is taken as the camera's axis.
 */
public fun fitPose(landmarks: FloatArray, height: Int, width: Int): Pose {
    val focal = FOCAL * max(height, width)
    val template = FaceTemplate.instance
    val model = List(POINTS) { template.vertex(it) - template.centre }
    // In camera frame, at depth 1: x right, y up; the camera looks along -z.
    val seenX = DoubleArray(POINTS) { (landmarks[it * 3] - width / 2.0) / focal }
    val seenY = DoubleArray(POINTS) { -(landmarks[it * 3 + 1] - height / 2.0) / focal }
    var (turn, centre) = orthographic(model, seenX, seenY)
    var error = squares(model, turn, centre, seenX, seenY)
    var damping = 1e-3
    for (iteration in 0 until 100) {
        val (hessian, gradient) = linearized(model, turn, centre, seenX, seenY)
        for (i in 0 until 6) hessian[i][i] *= 1 + damping
        val step = solve(hessian, gradient) ?: break
        val nextTurn = rotation(Vector(step[0], step[1], step[2])) * turn
        val nextCentre = centre + Vector(step[3], step[4], step[5])
        val nextError = squares(model, nextTurn, nextCentre, seenX, seenY)
        if (nextError < error) {
            val gained = error - nextError
            turn = nextTurn
            centre = nextCentre
            error = nextError
            damping = max(damping / 10, 1e-12)
            if (gained < 1e-12 * error) break
        } else {
            damping *= 10
            if (damping > 1e6) break
        }
    }
    return Pose(turn, centre - turn * template.centre)
}

/** Pose under scaled orthography, refined for perspective; the centre's place is the translation. */
private fun orthographic(model: List<Vector>, seenX: DoubleArray, seenY: DoubleArray): Pair<Matrix, Vector> {
    val spread = Array(3) { DoubleArray(3) }
    for (p in model) {
        val v = doubleArrayOf(p.x, p.y, p.z)
        for (i in 0 until 3) for (j in 0 until 3) spread[i][j] += v[i] * v[j]
    }
    var turn = Matrix.IDENTITY
    var centre = Vector(0.0, 0.0, -1.0)
    val nearness = DoubleArray(model.size) { 1.0 } // depth of a point over the centre's
    repeat(20) {
        val right = axis(model, seenX, nearness, spread)
        val up = axis(model, seenY, nearness, spread)
        val scale = sqrt(right.length * up.length)
        val x = right.normalized()
        val z = x.cross(up).normalized()
        turn = Matrix.ofRows(x, z.cross(x), z)
        val depth = 1 / scale
        centre = Vector(
            model.indices.sumOf { seenX[it] * nearness[it] } / model.size * depth,
            model.indices.sumOf { seenY[it] * nearness[it] } / model.size * depth,
            -depth,
        )
        for (i in model.indices) nearness[i] = 1 - z.dot(model[i]) / depth
    }
    return turn to centre
}

/** The vector whose products with the points are their coordinates, by least squares. */
private fun axis(model: List<Vector>, seen: DoubleArray, nearness: DoubleArray, spread: Array<DoubleArray>): Vector {
    val sums = DoubleArray(3)
    for (i in model.indices) {
        val value = seen[i] * nearness[i]
        sums[0] += model[i].x * value
        sums[1] += model[i].y * value
        sums[2] += model[i].z * value
    }
    val found = checkNotNull(solve(Array(3) { spread[it].copyOf() }, sums)) { "the mean face is flat" }
    return Vector(found[0], found[1], found[2])
}

/** Sum of squared distances at depth 1; infinite where a point is behind the camera. */
private fun squares(
    model: List<Vector>, turn: Matrix, centre: Vector, seenX: DoubleArray, seenY: DoubleArray,
): Double = model.indices.sumOf {
    val p = turn * model[it] + centre
    if (p.z >= 0) return Double.POSITIVE_INFINITY
    val (dx, dy) = seenX[it] + p.x / p.z to seenY[it] + p.y / p.z
    dx * dx + dy * dy
}

/** Normal equations of a small turn and shift that bring the points onto what is seen. */
private fun linearized(
    model: List<Vector>, turn: Matrix, centre: Vector, seenX: DoubleArray, seenY: DoubleArray,
): Pair<Array<DoubleArray>, DoubleArray> {
    val hessian = Array(6) { DoubleArray(6) }
    val gradient = DoubleArray(6)
    for (i in model.indices) {
        val r = turn * model[i]
        val p = r + centre
        // Seen at x = -p.x / p.z and y = -p.y / p.z; their derivatives by p.
        for ((row, missing) in listOf(
            Vector(-1 / p.z, 0.0, p.x / (p.z * p.z)) to seenX[i] + p.x / p.z,
            Vector(0.0, -1 / p.z, p.y / (p.z * p.z)) to seenY[i] + p.y / p.z,
        )) {
            val byTurn = r.cross(row) // row . (w x r) = w . (r x row)
            val j = doubleArrayOf(byTurn.x, byTurn.y, byTurn.z, row.x, row.y, row.z)
            for (a in 0 until 6) {
                gradient[a] += j[a] * missing
                for (b in 0 until 6) hessian[a][b] += j[a] * j[b]
            }
        }
    }
    return hessian to gradient
}

/** Rotation by a vector whose length is the angle in radians (Rodrigues). */
internal fun rotation(vector: Vector): Matrix {
    val angle = vector.length
    if (angle < 1e-12) return Matrix.IDENTITY
    val (x, y, z) = vector.normalized()
    val (s, c) = sin(angle) to cos(angle)
    val t = 1 - c
    return Matrix(
        doubleArrayOf(
            t * x * x + c, t * x * y - s * z, t * x * z + s * y,
            t * x * y + s * z, t * y * y + c, t * y * z - s * x,
            t * x * z - s * y, t * y * z + s * x, t * z * z + c,
        ),
    )
}

/** Gaussian elimination with pivoting; changes its arguments. Null for a singular matrix. */
internal fun solve(a: Array<DoubleArray>, b: DoubleArray): DoubleArray? {
    val n = b.size
    for (k in 0 until n) {
        val pivot = (k until n).maxByOrNull { abs(a[it][k]) } ?: return null
        if (abs(a[pivot][k]) < 1e-300) return null
        a[k] = a[pivot].also { a[pivot] = a[k] }
        b[k] = b[pivot].also { b[pivot] = b[k] }
        for (i in k + 1 until n) {
            val factor = a[i][k] / a[k][k]
            for (j in k until n) a[i][j] -= factor * a[k][j]
            b[i] -= factor * b[k]
        }
    }
    for (k in n - 1 downTo 0) {
        for (j in k + 1 until n) b[k] -= a[k][j] * b[j]
        b[k] /= a[k][k]
    }
    return b
}
