// SPDX-License-Identifier: Apache-2.0
package portrait.relight.tflite

import java.util.concurrent.Callable
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors

/**
 * The one thread that models live on: a GPU's context belongs to the thread that made it, and no
 * interpreter is for two threads at once.
 */
internal class ModelThread : AutoCloseable {
    private val executor = Executors.newSingleThreadExecutor { work ->
        Thread(work, NAME).apply { isDaemon = true }
    }

    /**
     * Runs [work] there and waits for it; what it throws is thrown here.
     *
     * @throws java.util.concurrent.RejectedExecutionException after [close].
     */
    fun <T> call(work: () -> T): T = try {
        executor.submit(Callable(work)).get()
    } catch (error: ExecutionException) {
        throw error.cause ?: error
    }

    /** Ends the thread when what was asked of it is done. */
    override fun close() {
        executor.shutdown()
    }

    companion object {
        const val NAME = "relight-models"
    }
}
