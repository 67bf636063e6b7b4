// SPDX-License-Identifier: Apache-2.0
/** The phone's camera by CameraX: pictures to be relit while one looks, and a photo to keep. */
package portrait.relight.sample.compose

import android.content.ContentValues
import android.content.Context
import android.graphics.Bitmap
import android.net.Uri
import android.os.Environment
import android.provider.MediaStore
import androidx.camera.core.CameraInfo
import androidx.camera.core.CameraSelector
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.ImageCapture
import androidx.camera.core.ImageCaptureException
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.lifecycle.LifecycleOwner
import java.util.concurrent.Executors
import portrait.relight.sample.newName

/**
 * The camera, for as long as [owner] is on the screen.
 *
 * @param show is told each picture, upright, on a thread of its own. While it is busy with one, others are
 *   dropped: a picture is never late.
 * @param fail is told on the main thread that there is no camera.
 */
class Camera(
    private val context: Context,
    private val owner: LifecycleOwner,
    private val show: (Bitmap) -> Unit,
    private val fail: () -> Unit,
) : AutoCloseable {
    private val thread = Executors.newSingleThreadExecutor()
    private var provider: ProcessCameraProvider? = null
    private var capture: ImageCapture? = null
    private var closed = false

    init {
        val asked = ProcessCameraProvider.getInstance(context)
        asked.addListener({
            try {
                if (!closed) bind(asked.get())
            } catch (_: Exception) { // of many kinds, which all say that there is no camera to be used
                fail()
            }
        }, context.mainExecutor)
    }

    private fun bind(found: ProcessCameraProvider) {
        provider = found
        val front = CameraSelector.DEFAULT_FRONT_CAMERA
        val camera = if (found.hasCamera(front)) front else CameraSelector.DEFAULT_BACK_CAMERA
        val frames = ImageAnalysis.Builder()
            .setBackpressureStrategy(ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST)
            .setOutputImageFormat(ImageAnalysis.OUTPUT_IMAGE_FORMAT_RGBA_8888)
            .setOutputImageRotationEnabled(true)
            .build()
        frames.setAnalyzer(thread) { image -> show(image.use { it.toBitmap() }) }
        val photo = ImageCapture.Builder().setOutputFormat(bestFormat(found.getCameraInfo(camera))).build()
        found.unbindAll()
        found.bindToLifecycle(owner, camera, frames, photo)
        capture = photo
    }

    /** Ultra HDR where the camera makes it: the sample keeps a photo's gain map. */
    private fun bestFormat(camera: CameraInfo): Int {
        val formats = ImageCapture.getImageCaptureCapabilities(camera).supportedOutputFormats
        val ultra = ImageCapture.OUTPUT_FORMAT_JPEG_ULTRA_HDR
        return if (ultra in formats) ultra else ImageCapture.OUTPUT_FORMAT_JPEG
    }

    /**
     * Takes a photo into the gallery, with the camera's EXIF.
     *
     * @param taken is told on the main thread where it is; null if it could not be taken.
     */
    fun take(taken: (Uri?) -> Unit) {
        val values = ContentValues().apply {
            put(MediaStore.Images.Media.DISPLAY_NAME, newName("photo"))
            put(MediaStore.Images.Media.MIME_TYPE, "image/jpeg")
            put(MediaStore.Images.Media.RELATIVE_PATH, Environment.DIRECTORY_DCIM)
        }
        val place = ImageCapture.OutputFileOptions
            .Builder(context.contentResolver, MediaStore.Images.Media.EXTERNAL_CONTENT_URI, values)
            .build()
        val camera = capture ?: return taken(null)
        camera.takePicture(place, context.mainExecutor, object : ImageCapture.OnImageSavedCallback {
            override fun onImageSaved(outputFileResults: ImageCapture.OutputFileResults) =
                taken(outputFileResults.savedUri)

            override fun onError(exception: ImageCaptureException) = taken(null)
        })
    }

    override fun close() {
        closed = true
        provider?.unbindAll()
        thread.shutdown()
    }
}
