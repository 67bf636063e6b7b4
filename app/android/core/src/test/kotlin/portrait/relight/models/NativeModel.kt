// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.io.File
import org.bytedeco.javacpp.BytePointer
import org.bytedeco.javacpp.FloatPointer
import org.bytedeco.tensorflowlite.TfLiteInterpreter
import org.bytedeco.tensorflowlite.TfLiteInterpreterOptions
import org.bytedeco.tensorflowlite.TfLiteModel
import org.bytedeco.tensorflowlite.TfLiteTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite as tflite

/** A shipped model on a TensorFlow Lite built for this machine. */
class NativeModel private constructor(private val entry: ModelEntry, content: ByteArray) : Model {
    private val bytes = BytePointer(*content)
    private val model: TfLiteModel = tflite.TfLiteModelCreate(bytes, content.size.toLong())
    private val options: TfLiteInterpreterOptions = tflite.TfLiteInterpreterOptionsCreate()
    private val interpreter: TfLiteInterpreter = tflite.TfLiteInterpreterCreate(model, options)
    private val graph = if (tflite.TfLiteInterpreterGetSignatureCount(interpreter) > 0) Signature() else Tensors()

    override fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray> {
        for (name in entry.inputs.keys) {
            val numbers = inputs.getValue(name)
            FloatPointer(*numbers).use {
                check(tflite.TfLiteTensorCopyFromBuffer(graph.input(name), it, 4L * numbers.size))
            }
        }
        check(graph.invoke())
        return entry.outputs.mapValues { (name, shape) ->
            val numbers = FloatArray(shape.fold(1, Int::times))
            FloatPointer(numbers.size.toLong()).use {
                check(tflite.TfLiteTensorCopyToBuffer(graph.output(name), it, 4L * numbers.size))
                it.get(numbers)
            }
            numbers
        }
    }

    override fun close() {
        graph.close()
        tflite.TfLiteInterpreterDelete(interpreter)
        tflite.TfLiteInterpreterOptionsDelete(options)
        tflite.TfLiteModelDelete(model)
        bytes.close()
    }

    private fun check(status: Int) {
        if (status != tflite.kTfLiteOk) throw ModelError("${entry.file}: TensorFlow Lite says $status")
    }

    private interface Graph : AutoCloseable {
        fun input(name: String): TfLiteTensor
        fun output(name: String): TfLiteTensor
        fun invoke(): Int
    }

    /** Our own models name their inputs and outputs in a signature. */
    private inner class Signature : Graph {
        private val runner = tflite.TfLiteInterpreterGetSignatureRunner(interpreter, SIGNATURE)

        init {
            check(tflite.TfLiteSignatureRunnerAllocateTensors(runner))
        }

        override fun input(name: String): TfLiteTensor = tflite.TfLiteSignatureRunnerGetInputTensor(runner, name)
        override fun output(name: String): TfLiteTensor = tflite.TfLiteSignatureRunnerGetOutputTensor(runner, name)
        override fun invoke(): Int = tflite.TfLiteSignatureRunnerInvoke(runner)
        override fun close() = tflite.TfLiteSignatureRunnerDelete(runner)
    }

    /** In MediaPipe's, which have none, the tensors' own names serve. */
    private inner class Tensors : Graph {
        init {
            check(tflite.TfLiteInterpreterAllocateTensors(interpreter))
        }

        override fun input(name: String): TfLiteTensor =
            named(name, tflite.TfLiteInterpreterGetInputTensorCount(interpreter)) {
                tflite.TfLiteInterpreterGetInputTensor(interpreter, it)
            }

        override fun output(name: String): TfLiteTensor =
            named(name, tflite.TfLiteInterpreterGetOutputTensorCount(interpreter)) {
                tflite.TfLiteInterpreterGetOutputTensor(interpreter, it)
            }

        override fun invoke(): Int = tflite.TfLiteInterpreterInvoke(interpreter)
        override fun close() = Unit

        private fun named(name: String, count: Int, at: (Int) -> TfLiteTensor): TfLiteTensor =
            (0 until count).map(at).firstOrNull { tflite.TfLiteTensorName(it).string == name }
                ?: throw ModelError("${entry.file}: no tensor $name")
    }

    companion object {
        val folder = File(Golden.root, "relight/models")
        val manifest: Manifest by lazy { Manifest.parse(File(folder, MANIFEST).readText()) }

        fun open(name: String): Model {
            val entry = manifest.entry(name)
            val content = File(folder, entry.file).readBytes()
            entry.check(content)
            return NativeModel(entry, content)
        }
    }
}

/** The shipped models on a TensorFlow Lite built for this machine. */
class NativeModels : Models() {
    override fun open(name: String): Model = NativeModel.open(name)
}
