// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import portrait.relight.Light
import portrait.relight.Photo

/** What the app is doing that takes a while. */
enum class Work { NONE, LOOKING, SAVING }

/** What the user is told. */
sealed interface Message {
    data object NoFace : Message

    data object Unreadable : Message

    data object OutOfMemory : Message

    data object NotSaved : Message

    data object NoCamera : Message

    data object Saved : Message

    /** A model is missing or does not run; [details] is one line. */
    data class Broken(val details: String) : Message
}

/**
 * All that the screen shows.
 *
 * @property source the photo's address, null before one is chosen.
 * @property before the photo at preview size.
 * @property after the same with the light added, null until there is one.
 * @property light the key.
 * @property work what takes a while now.
 * @property message what the user is told, until the next action.
 */
data class UiState(
    val source: String? = null,
    val before: Photo? = null,
    val after: Photo? = null,
    val light: Light? = null,
    val work: Work = Work.NONE,
    val message: Message? = null,
) {
    /** Whether there is something to drag and to save. */
    val ready: Boolean get() = after != null && work == Work.NONE
}
