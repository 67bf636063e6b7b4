// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/** A network that runs: numbers in, numbers out. */
public interface Model : AutoCloseable {
    /**
     * Runs once.
     *
     * @param inputs by name, row by row, channels interleaved, without batch axis; what the model does
     *   not ask for is left out.
     * @return outputs by name, likewise.
     * @throws ModelError if it does not run.
     */
    public fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray>
}

/**
 * All networks by the names that the manifest gives them. Each is opened at its first use, then kept;
 * threads may share them and take turns at a network.
 */
public abstract class Models : AutoCloseable {
    private val opened = HashMap<String, Model>()

    /**
     * Opens a network.
     *
     * @throws ModelError if it is not listed, missing or damaged.
     */
    protected abstract fun open(name: String): Model

    /**
     * Runs a network; see [Model.run].
     *
     * @throws ModelError if it cannot be opened or does not run.
     */
    public fun run(name: String, inputs: Map<String, FloatArray>): Map<String, FloatArray> {
        val model = synchronized(opened) { opened.getOrPut(name) { open(name) } }
        return synchronized(model) { model.run(inputs) }
    }

    /** Frees the networks. */
    override fun close() {
        synchronized(opened) {
            for (model in opened.values) synchronized(model) { model.close() }
            opened.clear()
        }
    }
}
