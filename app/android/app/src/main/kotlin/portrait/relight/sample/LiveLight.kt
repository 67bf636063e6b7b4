// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import portrait.relight.Light
import portrait.relight.NoFaceError
import portrait.relight.Photo
import portrait.relight.Relighter
import portrait.relight.Setup

/**
 * A camera's pictures, relit one by one, each looked at anew. Slow: for a background thread.
 *
 * The light is set up for the first face and then stays where it is, or where it is moved to.
 */
class LiveLight(private val relighter: Relighter) : AutoCloseable {
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
     * @throws portrait.relight.RelightError if a model is missing or does not run.
     */
    @Synchronized
    fun relit(frame: Photo): Photo {
        if (closed) return frame
        val portrait = try {
            relighter.look(frame)
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
