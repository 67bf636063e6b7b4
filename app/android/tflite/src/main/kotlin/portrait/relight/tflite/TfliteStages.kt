// SPDX-License-Identifier: Apache-2.0
package portrait.relight.tflite

import android.content.res.AssetManager
import java.io.IOException
import java.io.InputStream
import portrait.relight.Environment
import portrait.relight.Light
import portrait.relight.MANIFEST
import portrait.relight.Manifest
import portrait.relight.Model
import portrait.relight.ModelError
import portrait.relight.NetworkStages
import portrait.relight.Normals
import portrait.relight.Raster
import portrait.relight.Stages
import portrait.relight.View

/** Folder of the models among an app's assets. */
public const val FOLDER: String = "portrait_relight"

/**
 * Who runs which model unless told otherwise. The key gain runs again with every move of a light and
 * gains by the GPU; the others run once per face, sooner than a GPU is set up for them.
 */
public val DEFAULT_ACCELERATORS: Map<String, Accelerator> = mapOf("quotient" to Accelerator.GPU)

/**
 * The three networks that come with the library, on TensorFlow Lite.
 *
 * They are loaded at their first use and kept, on one thread of their own, whichever thread calls.
 *
 * @param accelerators by model; what is not named runs on the CPU.
 * @param threads for one model's operations on the CPU.
 * @param read opens a file of the models' folder by its name.
 */
public class TfliteStages(
    private val accelerators: Map<String, Accelerator> = DEFAULT_ACCELERATORS,
    private val threads: Int = 2,
    private val read: (String) -> InputStream,
) : Stages {
    private val thread = ModelThread()
    private val networks = NetworkStages(::open)
    private val manifest by lazy { Manifest.parse(content(MANIFEST).decodeToString()) }

    /** The models among the assets that this library brings into an app. */
    public constructor(assets: AssetManager) : this(read = { assets.open("$FOLDER/$it") })

    /** The models' own version. */
    public val version: String get() = manifest.version

    override fun normals(view: View): Normals = networks.normals(view)

    override fun lighting(view: View, normals: Raster): Environment = networks.lighting(view, normals)

    override fun gain(view: View, normals: Raster, environment: Environment, light: Light): Raster =
        networks.gain(view, normals, environment, light)

    /** Frees the models and ends their thread; this object is of no use afterwards. */
    override fun close() {
        networks.close()
        thread.close()
    }

    private fun open(name: String): Model {
        val entry = manifest.entry(name)
        val wanted = accelerators[name] ?: Accelerator.CPU
        val model = thread.call { TfliteModel(entry, content(entry.file), wanted, threads) }
        return object : Model {
            override fun run(inputs: Map<String, FloatArray>) = thread.call { model.run(inputs) }

            override fun close() = thread.call { model.close() }
        }
    }

    private fun content(file: String): ByteArray = try {
        read(file).use { it.readBytes() }
    } catch (error: IOException) {
        throw ModelError("$file is missing from this app's models", error)
    }
}
