// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/** Finds faces and people in photos; a test can do without networks. */
public interface Perception : AutoCloseable {
    /** All faces of a photo, largest first; an empty list when there is none. */
    public fun find(photo: Photo): List<Face>

    /**
     * Probability in [0, 1] that a pixel is part of a person.
     *
     * @param crop a square of 256 pixels around a face or a body.
     * @return one channel, of the same size.
     */
    public fun person(crop: Photo): Raster
}

/** What MediaPipe's models see: its face detectors, Face Mesh and selfie segmentation. */
public class NetworkPerception(private val models: Models) : Perception {
    override fun find(photo: Photo): List<Face> = find(models, photo)

    override fun person(crop: Photo): Raster = person(models, crop)

    /** Frees the models. */
    override fun close(): Unit = models.close()
}
