// SPDX-License-Identifier: Apache-2.0
/** MediaPipe's selfie segmentation: which pixels are part of a person. */
package portrait.relight

import portrait.relight.Constants.Segmentation.INPUT
import portrait.relight.Constants.Segmentation.MODEL
import portrait.relight.Constants.Segmentation.OUTPUT
import portrait.relight.Constants.Segmentation.SIDE

/**
 * Probability in [0, 1] that a pixel is part of a person: asked about the one of an image and its mirror
 * image that is brighter to image left.
 *
 * @param image a square of 256 pixels.
 * @return one channel, of the same size.
 */
internal fun person(models: Models, image: Photo): Raster {
    require(image.height == SIDE && image.width == SIDE) { "people are seen in squares of $SIDE pixels" }
    val isMirrored = !brighterLeft(image)
    fun turned(raster: Raster) = if (isMirrored) raster.mirrored() else raster
    val mask = models.run(MODEL, mapOf(INPUT to turned(image.toRaster()).data)).getValue(OUTPUT)
    return turned(Raster(SIDE, SIDE, 1, mask).map { it.coerceIn(0f, 1f) })
}
