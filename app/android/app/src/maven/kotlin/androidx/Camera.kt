// SPDX-License-Identifier: Apache-2.0
/** What the sample uses of CameraX 1.5, after its reference, for the compiler alone. */
@file:Suppress("UNUSED_PARAMETER", "unused", "PropertyName")

package androidx.camera.core

import android.content.ContentResolver
import android.content.ContentValues
import android.graphics.Bitmap
import android.net.Uri
import java.util.concurrent.Executor

interface CameraInfo

interface Camera

abstract class UseCase

class CameraSelector private constructor() {
    companion object {
        @JvmField val DEFAULT_FRONT_CAMERA: CameraSelector = TODO()
        @JvmField val DEFAULT_BACK_CAMERA: CameraSelector = TODO()
    }
}

interface ImageProxy : AutoCloseable {
    override fun close()

    fun toBitmap(): Bitmap
}

class ImageAnalysis private constructor() : UseCase() {
    fun interface Analyzer {
        fun analyze(image: ImageProxy)
    }

    fun setAnalyzer(executor: Executor, analyzer: Analyzer): Unit = TODO()

    class Builder {
        fun setBackpressureStrategy(strategy: Int): Builder = TODO()

        fun setOutputImageFormat(outputImageFormat: Int): Builder = TODO()

        fun setOutputImageRotationEnabled(outputImageRotationEnabled: Boolean): Builder = TODO()

        fun build(): ImageAnalysis = TODO()
    }

    companion object {
        const val STRATEGY_KEEP_ONLY_LATEST = 0
        const val OUTPUT_IMAGE_FORMAT_RGBA_8888 = 2
    }
}

class ImageCaptureException(error: Int, message: String, cause: Throwable?) : Exception(message, cause)

interface ImageCaptureCapabilities {
    val supportedOutputFormats: Set<Int>
}

class ImageCapture private constructor() : UseCase() {
    interface OnImageSavedCallback {
        fun onImageSaved(outputFileResults: OutputFileResults)

        fun onError(exception: ImageCaptureException)
    }

    class OutputFileResults private constructor() {
        val savedUri: Uri? get() = TODO()
    }

    class OutputFileOptions private constructor() {
        class Builder(contentResolver: ContentResolver, saveCollection: Uri, contentValues: ContentValues) {
            fun build(): OutputFileOptions = TODO()
        }
    }

    class Builder {
        fun setOutputFormat(outputFormat: Int): Builder = TODO()

        fun build(): ImageCapture = TODO()
    }

    fun takePicture(options: OutputFileOptions, executor: Executor, callback: OnImageSavedCallback): Unit = TODO()

    companion object {
        const val OUTPUT_FORMAT_JPEG = 0
        const val OUTPUT_FORMAT_JPEG_ULTRA_HDR = 1

        @JvmStatic
        fun getImageCaptureCapabilities(cameraInfo: CameraInfo): ImageCaptureCapabilities = TODO()
    }
}
