// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import portrait.relight.Light
import portrait.relight.Photo
import portrait.relight.Portrait
import portrait.relight.Relighter
import portrait.relight.Setup

/** Photos in, relit photos out. Called from one background thread only. */
interface Studio : AutoCloseable {
    /**
     * Opens a photo and looks at it.
     *
     * @param source its address.
     * @return the photo at preview size and the light placed for it.
     * @throws java.io.IOException if it cannot be read.
     * @throws portrait.relight.RelightError if it cannot be relit.
     */
    fun open(source: String): Pair<Photo, Light>

    /** The open photo at preview size with a light added. */
    fun preview(light: Light): Photo

    /**
     * Saves the open photo at full size with a light added, as a new picture.
     *
     * @throws java.io.IOException if it cannot be written.
     */
    fun save(light: Light)
}

/**
 * A studio on the relighter.
 *
 * @param read decodes a photo by its address.
 * @param write saves a photo made from the one of an address.
 */
class RelightStudio(
    private val relighter: Relighter,
    private val read: (String) -> Photo,
    private val write: (Photo, String) -> Unit,
) : Studio {
    private var source: String? = null
    private var current: Portrait? = null

    /** What was set up for it: a light that is moved by hand keeps the rest. */
    private var setup = Setup(emptyList())

    override fun open(source: String): Pair<Photo, Light> {
        current = null // frees the previous photo before the next is decoded
        val portrait = relighter.look(read(source))
        this.source = source
        current = portrait
        setup = portrait.suggest()
        return portrait.at(SIDE) to setup.lights.single()
    }

    override fun preview(light: Light): Photo = opened().render(moved(light), side = SIDE).image

    override fun save(light: Light) = write(opened().render(moved(light)).image, checkNotNull(source))

    override fun close() = relighter.close()

    private fun moved(light: Light): Setup = setup.copy(lights = listOf(light))

    private fun opened(): Portrait = checkNotNull(current) { "no photo is open" }

    private companion object {
        /** Of the preview, pixels: small enough that the light follows the finger. */
        const val SIDE = 720
    }
}
