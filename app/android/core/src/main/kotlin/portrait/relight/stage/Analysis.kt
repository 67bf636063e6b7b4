// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.cos
import kotlin.math.max
import kotlin.math.sin
import portrait.relight.Constants.Analysis.HALF
import portrait.relight.Constants.View.SEEN

/**
 * What one look at a face tells; enough to try many lights without looking again.
 *
 * What is named `crop...` is in the crop's frame, where the head is upright, and its rasters lie on the
 * face's crop; the others, made when asked for, are in camera frame and lie on the photo.
 *
 * @property face the face.
 * @property view what the stages see of it.
 * @property cropEnvironment the light already there, in the photo's units.
 * @property cropNormals 128 x 128 unit normals.
 * @property cropConfidence 128 x 128 trust in the normals, [0, 1], 0 off the person.
 * @property meanIrradiance luminance of the existing irradiance over pi, mean over the visible face.
 * @property photo the photo.
 * @property person 256 x 256 probability in [0, 1] of a person, by all that is seen of them; the view's
 *   outline is what the segmentation says of the crop alone.
 * @property body what is known of the body below the face; null where the photo shows none.
 */
public class Analysis @JvmOverloads constructor(
    public val face: Face,
    public val view: View,
    public val cropEnvironment: Environment,
    public val cropNormals: Raster,
    public val cropConfidence: Raster,
    public val meanIrradiance: Double,
    public val photo: Photo,
    public val person: Raster = view.outline,
    public val body: Body? = null,
) {
    /** Rotation from head to camera frame. */
    public val headPose: Matrix get() = face.headPose

    /** The light already there, in the photo's units, camera frame. */
    public val environment: Environment by lazy { cropEnvironment.roll(face.crop.roll) }

    /** Unit vector towards where most of the existing light comes from, camera frame. */
    public val existingDirection: Vector get() = rolled(cropEnvironment.dominantDirection(), face.crop.roll)

    /** The person, one channel in [0, 1] on the photo, 0 outside the crop. */
    public val mask: Raster by lazy { toPhoto(person, 0f) }

    /** Trust in the normals, one channel in [0, 1] on the photo, 0 outside the crop. */
    public val confidence: Raster by lazy { toPhoto(cropConfidence, 0f) }

    /** Unit normals on the photo, camera frame, NaN where nothing is known. */
    public val normals: Raster by lazy {
        val result = toPhoto(cropNormals, Float.NaN)
        val (cos, sin) = cos(face.crop.roll).toFloat() to sin(face.crop.roll).toFloat()
        for (i in result.data.indices step 3) {
            val (x, y) = result.data[i] to result.data[i + 1]
            result.data[i] = x * cos + y * sin
            result.data[i + 1] = y * cos - x * sin
        }
        normalize(result.data)
        for (i in mask.data.indices) if (mask.data[i] < SEEN) result.data.fill(Float.NaN, i * 3, i * 3 + 3)
        result
    }

    /** Where a light on this face may fall. */
    public val outline: Outline
        get() {
            val inner = view.innerFace // doubt outside must not reach the face
            val trusted = body?.onHead ?: cropConfidence.zip(inner) { a, b -> max(a, b) }
            return Outline(face.crop, person, inner, trusted, body?.layer)
        }

    private fun toPhoto(values: Raster, outside: Float): Raster {
        val seen = face.crop.visible(photo.height, photo.width)
        val grid = Grid(seen.left, seen.top, 1, seen.rows, seen.columns)
        val part = face.crop.ontoGrid(values, grid)
        // At the square's border a cell lies halfway between its inside and its outside.
        val inside = face.crop.ontoGrid(Raster(values.rows, values.columns, 1).map { 1f }, grid, 0f)
        val result = Raster(photo.height, photo.width, values.channels)
        result.data.fill(outside)
        for (i in inside.data.indices) {
            if (inside.data[i] < HALF) continue
            val to = (seen.top + i / seen.columns) * photo.width + seen.left + i % seen.columns
            part.data.copyInto(result.data, to * values.channels, i * values.channels, (i + 1) * values.channels)
        }
        return result
    }
}

/** Estimates normals and existing light around a face. */
internal fun analyze(perception: Perception, stages: Stages, photo: Photo, face: Face): Analysis {
    val view = look(perception, photo, face)
    val normals = stages.normals(view)
    val environment = stages.lighting(view, normals.vectors)
    val whole = bodyOf(lookBelow(perception, photo, face), face.crop, Head(view, normals, environment))
    return Analysis(
        face,
        view,
        environment,
        normals.vectors,
        normals.confidence,
        meanIrradiance(environment, normals.vectors, view.face),
        photo,
        whole.person,
        whole.body,
    )
}

/**
 * Luminance of the irradiance over pi, mean over a face: what a key of intensity 1 equals.
 *
 * @param normals unit normals, in the same frame.
 * @param face one channel, 1 on the visible face; where it is empty, the result is 1.
 */
public fun meanIrradiance(environment: Environment, normals: Raster, face: Raster): Double {
    val (red, green, blue) = environment.meanIrradiance(normals.data, face.data) ?: return 1.0
    return luminance(red, green, blue).toDouble()
}

/** Key gain G of a light for unit intensity and white light; [light] in camera frame. */
internal fun gainOf(stages: Stages, analysis: Analysis, light: Light): FaceGain {
    val crop = analysis.face.crop
    val turned = light.rolled(-crop.roll)
    val head = stages.gain(analysis.view, analysis.cropNormals, analysis.cropEnvironment, turned)
    return analysis.body?.gain(crop, head, turned.direction) ?: FaceGain(head)
}
