// SPDX-License-Identifier: Apache-2.0
package portrait.relight.tflite

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.gpu.CompatibilityList
import org.tensorflow.lite.gpu.GpuDelegate
import portrait.relight.Model
import portrait.relight.ModelEntry
import portrait.relight.ModelError
import portrait.relight.SIGNATURE

/** What runs a model. */
public enum class Accelerator {
    /** XNNPACK: no start-up time worth mentioning, the same numbers everywhere. */
    CPU,

    /** OpenCL or OpenGL where the phone's driver is known to work, else the CPU. */
    GPU,
}

/**
 * A model on TensorFlow Lite. It is made, run and closed on one thread.
 *
 * @param entry what the manifest says of it.
 * @param content of its file; checked against [entry].
 * @param wanted what should run it.
 * @param threads for the CPU's operations.
 * @throws ModelError if [content] is damaged or cannot be loaded.
 */
internal class TfliteModel(
    private val entry: ModelEntry,
    content: ByteArray,
    wanted: Accelerator,
    private val threads: Int,
) : Model {
    private val content: ByteBuffer
    private var delegate: GpuDelegate? = null
    private var interpreter: Interpreter

    init {
        entry.check(content)
        this.content = ByteBuffer.allocateDirect(content.size).order(ByteOrder.nativeOrder()).put(content)
        interpreter = (if (wanted == Accelerator.GPU) openOnGpu() else null) ?: openOnCpu()
    }

    private val inputs = entry.inputs.mapValues { (_, shape) -> floats(shape) }
    private val outputs = entry.outputs.mapValues { (_, shape) -> floats(shape) }

    override fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray> {
        // A model is given what it asks for: one of an earlier version may ask for less.
        for ((name, buffer) in this.inputs) {
            val numbers = inputs[name]
            if (numbers?.size != buffer.capacity()) {
                throw ModelError("${entry.file}: asks for ${buffer.capacity()} numbers $name, got ${numbers?.size}")
            }
            buffer.clear()
            buffer.put(numbers)
        }
        try {
            invoke()
        } catch (error: RuntimeException) {
            if (delegate == null) throw ModelError("${entry.file} does not run: ${error.message}", error)
            // Some drivers accept a model and fail when it runs.
            close()
            interpreter = openOnCpu()
            invoke()
        }
        return outputs.mapValues { (_, buffer) ->
            buffer.rewind()
            FloatArray(buffer.capacity()).also(buffer::get)
        }
    }

    override fun close() {
        interpreter.close()
        delegate?.close()
        delegate = null
    }

    private fun invoke() {
        inputs.values.forEach { it.rewind() }
        outputs.values.forEach { it.rewind() }
        if (SIGNATURE in interpreter.signatureKeys) {
            interpreter.runSignature(inputs.toMap<String, Any>(), outputs.toMap<String, Any>(), SIGNATURE)
        } else { // MediaPipe's files have none: their tensors' own names serve
            val given = List(interpreter.inputTensorCount) { inputs.getValue(interpreter.getInputTensor(it).name()) }
            val wanted = List(interpreter.outputTensorCount) { interpreter.getOutputTensor(it).name() }
            val found = wanted.indices.filter { wanted[it] in outputs }.associateWith { outputs.getValue(wanted[it]) }
            interpreter.runForMultipleInputsOutputs(given.toTypedArray<Any>(), found.toMap<Int, Any>())
        }
    }

    private fun openOnCpu(): Interpreter = try {
        Interpreter(content, Interpreter.Options().setNumThreads(threads).setUseXNNPACK(true))
    } catch (error: IllegalArgumentException) {
        throw ModelError("${entry.file} cannot be loaded: ${error.message}", error)
    }

    /** Null where the GPU cannot be used: that is no error. */
    private fun openOnGpu(): Interpreter? {
        var made: GpuDelegate? = null
        return try {
            val options = CompatibilityList().use {
                if (!it.isDelegateSupportedOnThisDevice) return null
                it.bestOptionsForThisDevice
            }
            made = GpuDelegate(options)
            Interpreter(content, Interpreter.Options().addDelegate(made)).also { delegate = made }
        } catch (_: RuntimeException) {
            made?.close()
            null
        } catch (_: LinkageError) { // no GPU library for this processor
            made?.close()
            null
        }
    }

    private companion object {
        fun floats(shape: List<Int>): FloatBuffer =
            ByteBuffer.allocateDirect(4 * shape.fold(1, Int::times)).order(ByteOrder.nativeOrder()).asFloatBuffer()
    }
}
