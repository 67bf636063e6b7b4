// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import portrait.relight.Light
import portrait.relight.NoFaceError
import portrait.relight.Photo
import portrait.relight.Relighter
import portrait.relight.Setup

/**
 * A camera's pictures, relit one by one. Slow: for a background thread.
 *
 * What is known of a face goes on from picture to picture, so that its light is steady. The light is set
 * up for the first face and then stays where it is, or where it is moved to.
 */
class LiveLight(private val relighter: Relighter) : AutoCloseable {
    private val take = relighter.take()

    @Volatile
    private var setup: Setup? = null
    private var closed = false

    /** The key; null before a face was seen. */
    val light: Light? get() = setup?.lights?.single()

    /** Puts the key elsewhere; before a face was seen there is none to move. */
    fun move(light: Light) {
        setup = setup?.copy(lights = listOf(light))
    }

    /**
     * The picture with the light on its faces; as it is where there is none.
     *
     * @param atS when it was seen, seconds from any moment on, later than the one before.
     * @throws portrait.relight.RelightError if a model is missing or does not run.
     */
    @Synchronized
    fun relit(frame: Photo, atS: Double): Photo {
        if (closed) return frame
        val portrait = try {
            take.look(frame, atS)
        } catch (_: NoFaceError) {
            return frame
        }
        val wanted = setup ?: portrait.suggest().also { setup = it }
        return portrait.render(wanted).image
    }

    /** Frees the networks, after the picture that is being relit. */
    @Synchronized
    override fun close() {
        closed = true
        relighter.close()
    }
}
