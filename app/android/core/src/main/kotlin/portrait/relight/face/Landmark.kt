// SPDX-License-Identifier: Apache-2.0
/**
 * Face Mesh V2: 478 landmarks of a face whose place is roughly known.
 *
 * Reference: Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile
 * GPUs"; Grishchenko et al. 2020, "Attention Mesh".
 */
package portrait.relight

import kotlin.math.atan2
import kotlin.math.cos
import kotlin.math.max
import kotlin.math.sin
import portrait.relight.Constants.Landmark.EYES
import portrait.relight.Constants.Landmark.INPUT
import portrait.relight.Constants.Landmark.LANDMARKS
import portrait.relight.Constants.Landmark.MARGIN
import portrait.relight.Constants.Landmark.MODEL
import portrait.relight.Constants.Landmark.POINTS
import portrait.relight.Constants.Landmark.PRESENCE
import portrait.relight.Constants.Landmark.SIDE

/**
 * Landmarks of a face, and how sure the network is that one is there.
 *
 * @property landmarks 478 triples; x right and y down in pixels of the photo, z in the same scale,
 *   smaller is nearer.
 * @property presence in [0, 1].
 */
internal class Fit(val landmarks: FloatArray, val presence: Double)

/** Where to look for a detected face, upright by its eyes. */
internal fun regionOf(detection: Detection): Region {
    val (right, left) = detection.points
    return Region(
        detection.middle.x,
        detection.middle.y,
        MARGIN * max(detection.width, detection.height),
        atan2(left.y - right.y, left.x - right.x),
    )
}

/** Where to look for a face whose landmarks are known, upright by its eyes. */
internal fun regionAgain(landmarks: FloatArray): Region {
    val (right, left) = EYES.map { Point(landmarks[it * 3].toDouble(), landmarks[it * 3 + 1].toDouble()) }
    val angle = atan2(left.y - right.y, left.x - right.x)
    val (cos, sin) = cos(angle) to sin(angle)
    val across = landmarks.indices.step(3).map { landmarks[it] * cos + landmarks[it + 1] * sin }
    val down = landmarks.indices.step(3).map { landmarks[it + 1] * cos - landmarks[it] * sin }
    val (u, v) = (across.min() + across.max()) / 2 to (down.min() + down.max()) / 2
    val extent = max(across.max() - across.min(), down.max() - down.min())
    return Region(u * cos - v * sin, u * sin + v * cos, MARGIN * extent, angle)
}

/**
 * Landmarks of the face in a region; null if they are not finite or the region misses the photo.
 *
 * @param region where to look; outside the photo its edge repeats.
 * @param tones changes what the network sees.
 */
internal fun fit(
    models: Models,
    photo: Pyramid,
    region: Region,
    tones: Tones? = null,
): Fit? {
    val seen = photo.sample(region, SIDE, repeat = true)?.let { tones?.invoke(it) ?: it } ?: return null
    val found = models.run(MODEL, mapOf(INPUT to FloatArray(seen.size) { seen[it] / 255 }))
    val points = found.getValue(POINTS)
    if (!points.all { it.isFinite() }) return null
    val landmarks = FloatArray(LANDMARKS * 3)
    for (i in landmarks.indices step 3) {
        val (x, y) = region.toPhoto(points[i].toDouble() / SIDE, points[i + 1].toDouble() / SIDE)
        landmarks[i] = x.toFloat()
        landmarks[i + 1] = y.toFloat()
        landmarks[i + 2] = (points[i + 2].toDouble() / SIDE * region.side).toFloat()
    }
    return Fit(landmarks, sigmoid(found.getValue(PRESENCE)[0]))
}
