// SPDX-License-Identifier: Apache-2.0
package portrait.relight.tflite

import android.content.res.AssetManager
import java.io.IOException
import java.io.InputStream
import portrait.relight.MANIFEST
import portrait.relight.Manifest
import portrait.relight.Model
import portrait.relight.ModelError
import portrait.relight.Models

/** Folder of the models among an app's assets. */
public const val FOLDER: String = "portrait_relight"

/**
 * Who runs which model unless told otherwise. The key network runs again with every move of a light and
 * gains by the GPU; the others run once per face, sooner than a GPU is set up for them.
 */
public val DEFAULT_ACCELERATORS: Map<String, Accelerator> = mapOf("key" to Accelerator.GPU)

/**
 * The networks that come with the library, ours and MediaPipe's, on TensorFlow Lite.
 *
 * They are loaded at their first use and kept, on one thread of their own, whichever thread calls.
 *
 * @param accelerators by model; what is not named runs on the CPU.
 * @param threads for one model's operations on the CPU.
 * @param read opens a file of the models' folder by its name.
 */
public class TfliteModels(
    private val accelerators: Map<String, Accelerator> = DEFAULT_ACCELERATORS,
    private val threads: Int = 2,
    private val read: (String) -> InputStream,
) : Models() {
    private val thread = ModelThread()
    private val manifest by lazy { Manifest.parse(content(MANIFEST).decodeToString()) }

    /** The models among the assets that this library brings into an app. */
    public constructor(assets: AssetManager) : this(read = { assets.open("$FOLDER/$it") })

    /** The models' own version. */
    public val version: String get() = manifest.version

    override fun open(name: String): Model {
        val entry = manifest.entry(name)
        val wanted = accelerators[name] ?: Accelerator.CPU
        val model = thread.call { TfliteModel(entry, content(entry.file), wanted, threads) }
        return object : Model {
            override fun run(inputs: Map<String, FloatArray>) = thread.call { model.run(inputs) }

            override fun close() = thread.call { model.close() }
        }
    }

    /** Frees the models and ends their thread; this object is of no use afterwards. */
    override fun close() {
        super.close()
        thread.close()
    }

    private fun content(file: String): ByteArray = try {
        read(file).use { it.readBytes() }
    } catch (error: IOException) {
        throw ModelError("$file is missing from this app's models", error)
    }
}
