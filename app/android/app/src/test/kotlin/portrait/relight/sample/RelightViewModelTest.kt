// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import java.io.IOException
import java.util.concurrent.AbstractExecutorService
import java.util.concurrent.TimeUnit
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import portrait.relight.Light
import portrait.relight.ModelError
import portrait.relight.NoFaceError
import portrait.relight.Photo

class RelightViewModelTest {
    /** Work waits until it is asked to happen, on this thread. */
    private class Later : AbstractExecutorService() {
        val waiting = ArrayDeque<Runnable>()
        private var ended = false

        fun happen() {
            while (waiting.isNotEmpty()) waiting.removeFirst().run()
        }

        override fun execute(work: Runnable) {
            waiting += work
        }

        override fun shutdown() {
            ended = true
        }

        override fun shutdownNow() = emptyList<Runnable>()
        override fun isShutdown() = ended
        override fun isTerminated() = ended
        override fun awaitTermination(time: Long, unit: TimeUnit) = true
    }

    private class Fake : Studio {
        var failure: Throwable? = null
        val previews = ArrayList<Light>()
        val saved = ArrayList<Light>()
        var closed = false

        override fun open(source: String): Pair<Photo, Light> {
            failure?.let { throw it }
            return BEFORE to PLACED
        }

        override fun preview(light: Light): Photo {
            previews += light
            return AFTER
        }

        override fun save(light: Light) {
            failure?.let { throw it }
            saved += light
        }

        override fun close() {
            closed = true
        }
    }

    private val worker = Later()
    private val studio = Fake()
    private val model = RelightViewModel(studio, { it.run() }, worker)

    private fun open(source: String = "a") {
        model.open(source)
        worker.happen()
    }

    @Test
    fun `a photo is opened with the light placed for it`() {
        model.open("a")
        assertEquals(Work.LOOKING, model.state.work)
        assertFalse(model.state.ready)
        worker.happen()
        assertEquals(UiState("a", BEFORE, AFTER, PLACED), model.state)
        assertTrue(model.state.ready)
    }

    @Test
    fun `of moves that come too fast only the last is worked out`() {
        open()
        for (degrees in 1..5) model.move(Light(degrees.toDouble(), 0.0))
        assertEquals(5.0, model.state.light!!.azimuthDeg)
        worker.happen()
        assertEquals(listOf(30.0, 5.0), studio.previews.map { it.azimuthDeg })
        model.move(Light(9.0, 0.0))
        worker.happen()
        assertEquals(9.0, studio.previews.last().azimuthDeg)
    }

    @Test
    fun `nothing moves or is saved before there is a photo`() {
        model.move(Light(1.0, 1.0))
        model.save()
        assertEquals(UiState(), model.state)
        assertTrue(worker.waiting.isEmpty())
    }

    @Test
    fun `what is saved is what is seen`() {
        open()
        model.move(Light(7.0, 8.0))
        model.save()
        assertEquals(Work.SAVING, model.state.work)
        worker.happen()
        assertEquals(listOf(Light(7.0, 8.0)), studio.saved)
        assertEquals(Message.Saved, model.state.message)
        assertTrue(model.state.ready)
    }

    @Test
    fun `failures are told in words and leave the app usable`() {
        val told = listOf(
            NoFaceError("none") to Message.NoFace,
            ModelError("gone") to Message.Broken("gone"),
            IOException() to Message.Unreadable,
            SecurityException() to Message.Unreadable,
            OutOfMemoryError() to Message.OutOfMemory,
        )
        for ((failure, message) in told) {
            studio.failure = failure
            open()
            assertEquals(message, model.state.message)
            assertEquals(Work.NONE, model.state.work)
        }
        studio.failure = null
        open()
        assertNull(model.state.message)
        studio.failure = IOException()
        model.save()
        worker.happen()
        assertEquals(Message.NotSaved, model.state.message)
        assertTrue(model.state.ready)
    }

    @Test
    fun `a photo opened meanwhile is not overwritten by the one before`() {
        model.open("a")
        model.open("b")
        worker.waiting.removeFirst().run()
        assertEquals(UiState("b", work = Work.LOOKING), model.state)
        worker.happen()
        assertEquals("b", model.state.source)
        assertTrue(model.state.ready)
    }

    @Test
    fun `a rotated screen sees the state where it was left`() {
        open()
        model.watch(null)
        model.move(Light(3.0, 4.0))
        val seen = ArrayList<UiState>()
        model.watch(seen::add)
        assertEquals(3.0, seen.single().light!!.azimuthDeg)
        worker.happen()
        assertEquals(2, seen.size)
    }

    @Test
    fun `a photo comes back with its light`() {
        model.open("a", Light(1.0, 2.0))
        worker.happen()
        assertEquals(Light(1.0, 2.0), model.state.light)
        assertEquals(listOf(Light(1.0, 2.0)), studio.previews)
    }

    @Test
    fun `closing frees the studio after the work`() {
        model.open("a")
        model.close()
        assertFalse(studio.closed)
        worker.happen()
        assertTrue(studio.closed)
    }

    private companion object {
        val BEFORE = Photo(1, 1, ByteArray(3))
        val AFTER = Photo(1, 1, byteArrayOf(9, 9, 9))
        val PLACED = Light(30.0, 30.0, reason = "because")
    }
}
