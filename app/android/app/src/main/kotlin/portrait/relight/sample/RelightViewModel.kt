// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import java.io.IOException
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.atomic.AtomicReference
import portrait.relight.Light
import portrait.relight.NoFaceError
import portrait.relight.RelightError

/**
 * The app's one state and all that changes it.
 *
 * It outlives the screen's rotation. Called from the main thread; the work is done on another, and
 * every new state is told to whoever watches, on the thread that [deliver] chooses.
 *
 * @param studio does the work.
 * @param deliver runs something on the main thread.
 * @param worker the one thread that [studio] is used on.
 */
class RelightViewModel(
    private val studio: Studio,
    private val deliver: (Runnable) -> Unit,
    private val worker: ExecutorService = Executors.newSingleThreadExecutor(),
) : AutoCloseable {
    /** What the screen shows now. */
    var state: UiState = UiState()
        private set

    private var watcher: ((UiState) -> Unit)? = null
    private val wanted = AtomicReference<Light?>()

    /** Tells the state now and at each change; null to stop. */
    fun watch(watcher: ((UiState) -> Unit)?) {
        this.watcher = watcher
        watcher?.invoke(state)
    }

    /** Opens a photo; with [light] as it was left, else with the light placed for it. */
    fun open(source: String, light: Light? = null) {
        wanted.set(null)
        change(UiState(source = source, work = Work.LOOKING))
        run(Message.Unreadable) {
            val (before, placed) = studio.open(source)
            val chosen = light ?: placed
            val after = studio.preview(chosen)
            tell(source) { UiState(source, before, after, chosen) }
        }
    }

    /** Moves the light; of moves that come faster than they can be shown, only the last is shown. */
    fun move(light: Light) {
        val source = state.source
        if (!state.ready || source == null) return
        change(state.copy(light = light, message = null))
        if (wanted.getAndSet(light) != null) return // one is waiting already: it will take this light
        run(Message.Unreadable) {
            val next = wanted.getAndSet(null) ?: return@run
            val after = studio.preview(next)
            tell(source) { it.copy(after = after) }
        }
    }

    /** Saves the photo with its light as a new picture. */
    fun save() {
        val (source, light) = state.source to state.light
        if (!state.ready || source == null || light == null) return
        change(state.copy(work = Work.SAVING, message = null))
        run(Message.NotSaved) {
            studio.save(light)
            tell(source) { it.copy(work = Work.NONE, message = Message.Saved) }
        }
    }

    /** Tells the user something. */
    fun say(message: Message) = change(state.copy(message = message))

    /** Ends the work; the studio is closed when it is done. */
    override fun close() {
        watcher = null
        worker.execute(studio::close)
        worker.shutdown()
    }

    /** Does work on the other thread; a failure becomes a message. */
    private fun run(failure: Message, work: () -> Unit) {
        val source = state.source
        val guarded = Runnable {
            try {
                work()
            } catch (_: NoFaceError) {
                fail(source, Message.NoFace)
            } catch (error: RelightError) {
                fail(source, Message.Broken(error.message.orEmpty()))
            } catch (_: IOException) {
                fail(source, failure)
            } catch (_: SecurityException) { // the permission to read this photo has expired
                fail(source, failure)
            } catch (_: OutOfMemoryError) {
                fail(source, Message.OutOfMemory)
            }
        }
        try {
            worker.execute(guarded)
        } catch (_: RejectedExecutionException) {
            watcher = null // closed
        }
    }

    private fun fail(source: String?, message: Message) =
        tell(source) { it.copy(work = Work.NONE, message = message) }

    /** Changes the state on the main thread, unless another photo was opened meanwhile. */
    private fun tell(source: String?, next: (UiState) -> UiState) = deliver {
        if (state.source == source) change(next(state))
    }

    private fun change(next: UiState) {
        state = next
        watcher?.invoke(next)
    }
}
