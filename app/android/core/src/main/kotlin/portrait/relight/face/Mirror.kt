// SPDX-License-Identifier: Apache-2.0
/** Where each point of a face has its mirror image: the same place on the other half of the face. */
package portrait.relight

import kotlin.math.floor
import kotlin.math.min
import kotlin.math.roundToInt
import portrait.relight.Constants.Mesh.POINTS
import portrait.relight.Constants.Mirror.IRISES
import portrait.relight.Constants.Mirror.OPENINGS
import portrait.relight.Constants.Mirror.RIM
import portrait.relight.Constants.Mirror.TURNED_AWAY

/**
 * The mirror images of a face's points, drawn into a square.
 *
 * @property position x and y, in pixels of the drawing, of each point's mirror image; 0 outside the mesh.
 * @property trust in [0, 1]: 0 outside the mesh and where the mirror image is turned away from the camera.
 * @property albedo natural logarithm of the albedo that faces usually have there.
 * @property open in [0, 1], eyes and an open mouth.
 */
internal class Mirror(val position: Raster, val trust: Raster, val albedo: Raster, val open: Raster)

/** Each landmark's mirror image among the landmarks. */
internal val partners: IntArray by lazy {
    val points = List(POINTS) { FaceTemplate.instance.vertex(it) }
    IntArray(POINTS) { i ->
        val image = Vector(-points[i].x, points[i].y, points[i].z)
        points.indices.minBy { (points[it] - image).let { away -> away.dot(away) } }
    }
}

/**
 * Whether a picture is brighter to image left than to image right.
 *
 * Trained networks are not symmetric, so they are asked about one of a photo and its mirror image alone,
 * the one that is brighter to image right. Whole numbers: all languages choose alike.
 *
 * @param white what 255 is counted as in the picture.
 */
internal fun brighterLeft(picture: Rows, white: Float = 255f): Boolean {
    val line = FloatArray(picture.columns * picture.channels)
    val half = picture.columns / 2 * picture.channels
    var more = 0L
    for (row in 0 until picture.rows) {
        picture.row(row, line)
        for (i in 0 until half) {
            more += (line[i] * 255 / white).roundToInt()
            more -= (line[line.size - 1 - i] * 255 / white).roundToInt()
        }
    }
    return more > 0
}

/** The landmarks of a photo's mirror image, of those of the photo, whose width is given. */
internal fun mirroredLandmarks(landmarks: FloatArray, width: Int): FloatArray {
    val images = partners + IRISES
    return FloatArray(landmarks.size) {
        val value = landmarks[images[it / 3] * 3 + it % 3]
        if (it % 3 == 0) width - value else value
    }
}

/**
 * Draws where the mirror images of a face's points lie.
 *
 * @param landmarks triples in pixels of the drawing, z in the same scale, smaller nearer.
 */
internal fun mirror(landmarks: FloatArray, side: Int): Mirror {
    val camera = FloatArray(POINTS * 3) { if (it % 3 == 0) landmarks[it] else -landmarks[it] }
    val normals = vertexNormals(camera, FaceTemplate.instance.triangles)
    val albedo = FaceTemplate.instance.logAlbedo
    val attributes = FloatArray(POINTS * 4) {
        val at = partners[it / 4] * 3
        when (it % 4) {
            2 -> normals[at + 2]
            3 -> albedo[it / 4]
            else -> landmarks[at + it % 4]
        }
    }
    val (drawn, mask) = rasterize(landmarks, attributes, side)
    val (low, high) = TURNED_AWAY
    val position = Raster(side, side, 2, FloatArray(side * side * 2) { drawn.data[it / 2 * 4 + it % 2] })
    val trust = drawn.channel(2).map { smoothstep(it, low, high) }.weighted(mask)
    val open = gaussianBlur(region(landmarks, OPENINGS, side), RIM.toDouble())
    return Mirror(position, trust, drawn.channel(3), open)
}

/** Each point's mirror image of some values, bilinear; outside the mesh they say nothing. */
internal fun reflect(values: Raster, found: Mirror): Raster {
    val result = Raster(values.rows, values.columns, values.channels)
    for (i in 0 until values.rows * values.columns) {
        val x = (found.position.data[i * 2] - 0.5f).coerceIn(0f, values.columns - 1f)
        val y = (found.position.data[i * 2 + 1] - 0.5f).coerceIn(0f, values.rows - 1f)
        val left = min(floor(x).toInt(), values.columns - 2)
        val top = min(floor(y).toInt(), values.rows - 2)
        val (u, v) = x - left to y - top
        for (c in 0 until values.channels) {
            val upper = values[top, left, c] * (1 - u) + values[top, left + 1, c] * u
            val lower = values[top + 1, left, c] * (1 - u) + values[top + 1, left + 1, c] * u
            result.data[i * values.channels + c] = upper * (1 - v) + lower * v
        }
    }
    return result
}
