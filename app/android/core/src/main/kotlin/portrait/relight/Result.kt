// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.min

/**
 * A relit photo and how it came about.
 *
 * @property image the relit photo.
 * @property photo the photo it was made from, at its own size.
 * @property setup the lights added and the fill; a light with intensity 0 and a reason when none was needed.
 * @property analyses one per face, largest first.
 * @property strength factor that the added light was scaled by.
 */
public class Result(
    public val image: Photo,
    public val photo: Photo,
    public val setup: Setup,
    public val analyses: List<Analysis>,
    public val strength: Double,
) {
    /** The lights added. */
    public val lights: List<Light> get() = setup.lights

    /** The faces found, largest first. */
    public val faces: List<Face> get() = analyses.map { it.face }

    /** All that is worth knowing of each face, largest first. */
    public fun report(): List<FaceReport> = analyses.map { analysis ->
        FaceReport(
            analysis.face.box.toList(),
            headAngles(analysis.headPose),
            Light.fromDirection(analysis.existingDirection),
            analysis.cropEnvironment.keyToFill(analysis.face.cropPose),
            keyToFillWith(
                analysis.cropEnvironment,
                analysis.face.cropPose,
                lights.map { it.rolled(-analysis.face.crop.roll) },
                analysis.meanIrradiance * strength,
                1 - min(strength, 1.0) * (1 - setup.fill),
            ),
        )
    }
}

/**
 * What became of one face.
 *
 * @property box left, top, width, height, pixels of the photo.
 * @property head how it is turned.
 * @property existingLight where most light came from before; only its angles mean anything.
 * @property keyToFillBefore brighter over darker cheek in the photo.
 * @property keyToFillAfter the same with the lights added.
 */
public data class FaceReport(
    val box: List<Float>,
    val head: HeadAngles,
    val existingLight: Light,
    val keyToFillBefore: Double,
    val keyToFillAfter: Double,
)
