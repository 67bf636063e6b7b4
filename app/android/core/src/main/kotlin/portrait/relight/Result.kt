// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/**
 * A relit photo and how it came about.
 *
 * @property image the relit photo.
 * @property photo the photo it was made from.
 * @property lights the lights added; one with intensity 0 and a reason when none was needed.
 * @property analyses one per face, largest first.
 * @property strength factor that the added light was scaled by.
 */
public class Result(
    public val image: Photo,
    public val photo: Photo,
    public val lights: List<Light>,
    public val analyses: List<Analysis>,
    public val strength: Double,
) {
    /** The faces found, largest first. */
    public val faces: List<Face> get() = analyses.map { it.face }

    /** All that is worth knowing of each face, largest first. */
    public fun report(): List<FaceReport> = analyses.map { analysis ->
        FaceReport(
            analysis.face.box.toList(),
            headAngles(analysis.headPose),
            Light.fromDirection(analysis.environment.dominantDirection()),
            analysis.environment.keyToFill(analysis.headPose),
            keyToFillWith(
                analysis.environment,
                analysis.headPose,
                lights,
                analysis.meanIrradiance * strength,
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
