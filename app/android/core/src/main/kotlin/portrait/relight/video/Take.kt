// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import portrait.relight.Constants.Steady.LIGHT_S
import portrait.relight.Constants.Tracker.SAME

/**
 * Pictures of one take, such as a camera's, looked at one after another; made by [Relighter.take].
 *
 * A face's normals, the light on it and its outline are averaged with those of the pictures before, the
 * less the more its head turns, so that the light does not flicker. For one thread at a time.
 */
public class Take internal constructor(
    private val perception: Perception,
    private val stages: NetworkStages,
    private val threads: Int,
) {
    // Looks are rarer than in a film: what lies on the face is remembered as long as the room's light.
    private val steady = SteadyLook(stages, perception, LIGHT_S)
    private var faces = emptyMap<Int, Face>()
    private var count = 0
    private var lastS = Double.NEGATIVE_INFINITY

    /**
     * Looks at the next picture.
     *
     * @param atS seconds from any moment on, more than at the picture before. Of pictures that were left
     *   out nothing needs to be told.
     * @throws NoFaceError if the picture shows no face; nothing is known of those before then.
     * @throws IllegalArgumentException if the picture is not later than the one before.
     */
    public fun look(photo: Photo, atS: Double): Portrait {
        require(atS > lastS) { "a picture at $atS s does not come after one at $lastS s" }
        val stepS = atS - lastS
        lastS = atS
        faces = numbered(perception.find(photo))
        steady.forget(faces.keys)
        if (faces.isEmpty()) throw NoFaceError("No face found in this picture.")
        val looks = faces.map { (number, face) -> steady.look(photo, number, face, stepS) }
        val there = looks.associate { it.analysis.view to it.there }
        return Portrait(photo, looks.map { it.analysis }, PictureStages(stages, there), threads)
    }

    /** Faces by numbers, the largest first: one that lies where one was has that one's. */
    private fun numbered(found: List<Face>): Map<Int, Face> {
        val before = faces.toMutableMap()
        return found.associateBy { face ->
            val same = before.entries.maxByOrNull { (_, other) -> overlap(face.box, other.box) }
                ?.takeIf { (_, other) -> overlap(face.box, other.box) > SAME }?.key
            same?.also { before.remove(it) } ?: count++
        }
    }
}

/**
 * The stages of one picture's faces.
 *
 * @param there the light already there, for each face's view.
 */
private class PictureStages(
    private val stages: NetworkStages,
    private val there: Map<View, Existing>,
) : Stages by stages {
    override fun gain(view: View, normals: Raster, environment: Environment, light: Light): Raster =
        stages.gainOver(there.getValue(view), view, light)
}
