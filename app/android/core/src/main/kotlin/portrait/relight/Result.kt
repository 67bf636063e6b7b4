// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.max
import portrait.relight.Constants.View.FINE
import portrait.relight.Constants.View.SIDE

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
    public fun report(): List<FaceReport> = analyses.zip(setup.sharesOf(analyses.size)) { analysis, share ->
        val cheeks = cheeks(analysis.view)
        FaceReport(
            analysis.face.box.toList(),
            headAngles(analysis.headPose),
            Light.fromDirection(analysis.existingDirection),
            cheeks.ratio(analysis.view.linear),
            cheeks.ratio(linearCrop(analysis.face.crop)),
            share,
        )
    }

    /** The result where a face is, as the stages would see it, in linear light. */
    private fun linearCrop(crop: Crop): Raster {
        val scale = max(image.height, image.width).toDouble() / max(photo.height, photo.width)
        val cut = crop.scaled(scale).extract(image, FINE * SIDE)
        return shrink(cut, FINE).toRaster().map { srgbToLinear(it) }
    }
}

/**
 * What became of one face.
 *
 * @property box left, top, width, height, pixels of the photo.
 * @property head how it is turned.
 * @property existingLight where most light came from before; only its angles mean anything.
 * @property keyToFillBefore brighter over darker cheek, measured on the photo's pixels.
 * @property keyToFillAfter the same on the result's.
 * @property share how much of the setup it got.
 */
public data class FaceReport(
    val box: List<Float>,
    val head: HeadAngles,
    val existingLight: Light,
    val keyToFillBefore: Double,
    val keyToFillAfter: Double,
    val share: Double,
)
