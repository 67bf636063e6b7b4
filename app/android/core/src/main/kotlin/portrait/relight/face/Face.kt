// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt
import portrait.relight.Constants.Landmark.LANDMARKS

/**
 * One face of a photo.
 *
 * @property box left, top, width, height of the landmarks' bounding box, pixels of the photo.
 * @property landmarks 478 triples; x right and y down in pixels of the photo, z in the same scale,
 *   smaller is nearer.
 * @property pose where the head stands, under the assumed focal length.
 * @property crop the square around head, hair and shoulders that the models see, turned upright.
 * @property presence how sure Face Mesh is that a face is there, in [0, 1].
 */
public class Face private constructor(
    public val box: FloatArray,
    public val landmarks: FloatArray,
    public val pose: Pose,
    public val presence: Double,
) {
    /** 4 x 4 transform, row by row, from camera frame (cm, origin at the camera) to head frame. */
    public val headFromCam: DoubleArray get() = pose.headFromCam

    /**
     * Rotation from head to camera frame, as if the camera looked straight at it.
     *
     * Away from the photo's middle that differs from the rotation in [headFromCam], whose line of
     * sight rests on the assumed focal length and on the photo not having been cropped.
     */
    public val headPose: Matrix by lazy {
        val (x, y, z) = (pose.rotation * FaceTemplate.instance.centre + pose.translation)
            .normalized() * -1.0
        // The smallest turn of +z, towards the viewer, onto the line of sight.
        val sight = Matrix(
            doubleArrayOf(
                1 - x * x / (1 + z), -x * y / (1 + z), x,
                -x * y / (1 + z), 1 - y * y / (1 + z), y,
                -x, -y, z,
            ),
        )
        sight.transposed * pose.rotation
    }

    public val crop: Crop = Crop.around(landmarks, rollOf(headPose))

    /** [headPose] in the crop's frame, where the head is upright. */
    public val cropPose: Matrix get() = headPose.rolled(-crop.roll)

    /** Geometric mean of the box's sides, pixels. */
    public val size: Double get() = sqrt(box[2].toDouble() * box[3])

    /** Landmarks, triples, in pixels of the crop resampled to [resolution]. */
    internal fun cropLandmarks(resolution: Int): FloatArray {
        val result = FloatArray(landmarks.size)
        for (i in landmarks.indices step 3) {
            val (x, y) = crop.toCrop(landmarks[i], landmarks[i + 1], resolution)
            result[i] = x
            result[i + 1] = y
            result[i + 2] = landmarks[i + 2] * (resolution.toDouble() / crop.size).toFloat()
        }
        return result
    }

    public companion object {
        /**
         * A face from its landmarks.
         *
         * @param landmarks 478 triples, pixels of the photo.
         * @param presence how sure it is that a face is there.
         * @throws IllegalArgumentException for another count, or numbers that are not finite.
         */
        public fun fromLandmarks(landmarks: FloatArray, height: Int, width: Int, presence: Double = 1.0): Face {
            require(landmarks.size == LANDMARKS * 3) {
                "a face has $LANDMARKS landmarks of three numbers, got ${landmarks.size} numbers"
            }
            require(landmarks.all { it.isFinite() }) { "landmarks are finite numbers" }
            return Face(bounds(landmarks), landmarks, fitPose(landmarks, height, width), presence)
        }
    }
}

/** Left, top, width and height of the landmarks' bounding box. */
internal fun bounds(landmarks: FloatArray): FloatArray {
    val (left, right) = ends(landmarks) { x, _ -> x }
    val (top, bottom) = ends(landmarks) { _, y -> y }
    return floatArrayOf(left.toFloat(), top.toFloat(), (right - left).toFloat(), (bottom - top).toFloat())
}

/** Intersection over the smaller of two boxes (left, top, width, height). */
internal fun overlap(a: FloatArray, b: FloatArray): Float {
    val wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    val high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if (wide <= 0 || high <= 0) return 0f
    return wide * high / max(min(a[2] * a[3], b[2] * b[3]), 1e-6f)
}
