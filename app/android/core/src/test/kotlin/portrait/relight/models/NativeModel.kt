// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.io.File
import org.bytedeco.javacpp.BytePointer
import org.bytedeco.javacpp.FloatPointer
import org.bytedeco.tensorflowlite.TfLiteInterpreter
import org.bytedeco.tensorflowlite.TfLiteInterpreterOptions
import org.bytedeco.tensorflowlite.TfLiteModel
import org.bytedeco.tensorflowlite.TfLiteSignatureRunner
import org.bytedeco.tensorflowlite.global.tensorflowlite as tflite

/** A shipped model on a TensorFlow Lite built for this machine. */
class NativeModel private constructor(private val entry: ModelEntry, content: ByteArray) : Model {
    private val bytes = BytePointer(*content)
    private val model: TfLiteModel = tflite.TfLiteModelCreate(bytes, content.size.toLong())
    private val options: TfLiteInterpreterOptions = tflite.TfLiteInterpreterOptionsCreate()
    private val interpreter: TfLiteInterpreter = tflite.TfLiteInterpreterCreate(model, options)
    private val runner: TfLiteSignatureRunner =
        tflite.TfLiteInterpreterGetSignatureRunner(interpreter, SIGNATURE)

    init {
        check(tflite.TfLiteSignatureRunnerAllocateTensors(runner))
    }

    override fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray> {
        for (name in entry.inputs.keys) {
            val numbers = inputs.getValue(name)
            val tensor = tflite.TfLiteSignatureRunnerGetInputTensor(runner, name)
            FloatPointer(*numbers).use { check(tflite.TfLiteTensorCopyFromBuffer(tensor, it, 4L * numbers.size)) }
        }
        check(tflite.TfLiteSignatureRunnerInvoke(runner))
        return entry.outputs.mapValues { (name, shape) ->
            val numbers = FloatArray(shape.fold(1, Int::times))
            val tensor = tflite.TfLiteSignatureRunnerGetOutputTensor(runner, name)
            FloatPointer(numbers.size.toLong()).use {
                check(tflite.TfLiteTensorCopyToBuffer(tensor, it, 4L * numbers.size))
                it.get(numbers)
            }
            numbers
        }
    }

    override fun close() {
        tflite.TfLiteSignatureRunnerDelete(runner)
        tflite.TfLiteInterpreterDelete(interpreter)
        tflite.TfLiteInterpreterOptionsDelete(options)
        tflite.TfLiteModelDelete(model)
        bytes.close()
    }

    private fun check(status: Int) {
        if (status != tflite.kTfLiteOk) throw ModelError("${entry.file}: TensorFlow Lite says $status")
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
