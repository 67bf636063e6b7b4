// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import portrait.relight.Constants.Light.BRIGHTEST
import portrait.relight.Constants.Portrait.PREVIEW_SIDE

/**
 * Relights photos: the one place that orders the stages. One per thread.
 *
 * ```kotlin
 * val result = relighter.relight(photo)      // places the light by itself
 * result.image; result.lights[0].reason
 * ```
 *
 * @param detector finds faces and people.
 * @param stages makes the estimates: `NetworkStages` on TensorFlow Lite.
 * @param threads for the full-resolution work; the networks are too small to be shared out.
 */
public class Relighter(
    private val detector: Detector,
    private val stages: Stages,
    private val threads: Int = 1,
) : AutoCloseable {
    init {
        require(threads >= 1) { "threads is >= 1, got $threads" }
    }

    /** All faces of a photo, largest first; an empty list when there is none. */
    public fun findFaces(photo: Photo): List<Face> = find(detector, photo)

    /** Estimates normals and existing light around one of [findFaces]. */
    public fun analyze(photo: Photo, face: Face): Analysis = analyze(detector, stages, photo, face)

    /** Places a key light automatically; its intensity is 0 when none is needed. */
    public fun place(analysis: Analysis): Light = place(
        analysis.environment,
        analysis.headPose,
        analysis.meanIrradiance,
        analysis.headroom,
    )

    /** One automatic light for all faces of a photo. */
    public fun place(analyses: List<Analysis>): Light =
        placeGroup(analyses.map { place(it) }, analyses.map { it.face.size })

    /** Key gain G of a light's direction and softness, for unit intensity and white light, on the photo. */
    public fun keyGain(analysis: Analysis, light: Light): Raster {
        val unit = light.copy(intensity = 1.0, color = Light.WHITE)
        val gain = addedGain(stages, analysis, listOf(unit))
        val photo = analysis.photo
        return upsample(photo, listOf(analysis.outline), listOf(gain)).expand(photo.height, photo.width)
    }

    /**
     * Looks at a photo once, to move lights by hand at preview size.
     *
     * @param side longer side of the preview at most, pixels.
     * @throws NoFaceError if the photo shows no face.
     */
    public fun preview(photo: Photo, side: Int = PREVIEW_SIDE): Preview =
        Preview(stages, analyses(photo), side, threads)

    /**
     * Relights every face of a photo.
     *
     * @param lights the lights to add; null places one automatically.
     * @param strength factor on the added light in [0, 100]; 0 gives the photo bit for bit.
     * @param analyses of this photo's faces, from an earlier result or [analyze]: to try another light
     *   without looking at the photo again.
     * @throws NoFaceError if the photo shows no face.
     * @throws IllegalArgumentException for a strength out of range, or analyses of another photo.
     */
    public fun relight(
        photo: Photo,
        lights: List<Light>? = null,
        strength: Double = 1.0,
        analyses: List<Analysis>? = null,
    ): Result {
        checkStrength(strength)
        val seen = analyses ?: analyses(photo)
        if (seen.isEmpty()) throw NoFaceError(NO_FACE)
        require(seen.all { it.photo.height == photo.height && it.photo.width == photo.width }) {
            "these analyses belong to another photo"
        }
        val chosen = lights ?: listOf(place(seen))
        val gains = seen.map { addedGain(stages, it, chosen) }
        val added = upsample(photo, seen.map { it.outline }, gains)
        return Result(apply(photo, added, strength, threads), photo, chosen, seen, strength)
    }

    /** Frees the models. */
    override fun close() {
        detector.close()
        stages.close()
    }

    private fun analyses(photo: Photo): List<Analysis> {
        val faces = findFaces(photo)
        if (faces.isEmpty()) throw NoFaceError(NO_FACE)
        return faces.map { analyze(photo, it) }
    }

    private companion object {
        const val NO_FACE = "No face found in this photo."
    }
}

internal fun checkStrength(strength: Double) {
    require(strength in 0.0..BRIGHTEST) { "strength lies in [0, ${BRIGHTEST.toInt()}], got $strength" }
}
