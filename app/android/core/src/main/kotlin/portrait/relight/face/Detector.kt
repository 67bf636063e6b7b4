// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/** Finds faces and people. MediaPipe does, on a phone; a test can do without. */
public interface Detector : AutoCloseable {
    /**
     * Landmarks of the faces in a photo, in any order.
     *
     * @return for each face 478 triples: x right and y down in pixels of the photo, z in the same
     *   scale, smaller is nearer.
     */
    public fun landmarks(photo: Photo): List<FloatArray>

    /**
     * Probability in [0, 1] that a pixel is part of a person.
     *
     * @param crop a square of 256 pixels around a face.
     * @return one channel, of the same size.
     */
    public fun person(crop: Photo): Raster
}
