// SPDX-License-Identifier: Apache-2.0
package portrait.relight.mediapipe

import android.content.Context
import com.google.mediapipe.framework.image.BitmapImageBuilder
import com.google.mediapipe.framework.image.ByteBufferExtractor
import com.google.mediapipe.tasks.core.BaseOptions
import com.google.mediapipe.tasks.vision.core.RunningMode
import com.google.mediapipe.tasks.vision.facelandmarker.FaceLandmarker
import com.google.mediapipe.tasks.vision.imagesegmenter.ImageSegmenter
import java.nio.ByteOrder
import portrait.relight.Detector
import portrait.relight.LANDMARKS
import portrait.relight.ModelError
import portrait.relight.Photo
import portrait.relight.Raster
import portrait.relight.tflite.toBitmap

/** Names of MediaPipe's models among an app's assets. */
public const val FACE_LANDMARKER: String = "face_landmarker.task"
public const val SELFIE_SEGMENTER: String = "selfie_segmenter.tflite"

/** Faces relit at most. */
private const val MOST_FACES = 5

/**
 * MediaPipe Tasks' face landmarks and selfie segmentation. Loaded at its first use; one thread at a
 * time.
 *
 * @throws ModelError from the first call, if one of MediaPipe's models is missing.
 */
public class MediaPipeDetector(private val context: Context) : Detector {
    private val landmarker = lazy { loaded(FACE_LANDMARKER, ::makeLandmarker) }
    private val segmenter = lazy { loaded(SELFIE_SEGMENTER, ::makeSegmenter) }

    override fun landmarks(photo: Photo): List<FloatArray> {
        val image = BitmapImageBuilder(photo.toBitmap()).build()
        val found = image.use { landmarker.value.detect(it).faceLandmarks() }
        return found.filter { it.size == LANDMARKS }.map { face ->
            FloatArray(LANDMARKS * 3) {
                val point = face[it / 3]
                when (it % 3) {
                    0 -> point.x() * photo.width
                    1 -> point.y() * photo.height
                    else -> point.z() * photo.width
                }
            }
        }
    }

    override fun person(crop: Photo): Raster {
        val image = BitmapImageBuilder(crop.toBitmap()).build()
        val mask = image.use { segmenter.value.segment(it).confidenceMasks().get().last() }
        return mask.use {
            val numbers = ByteBufferExtractor.extract(it).order(ByteOrder.nativeOrder()).asFloatBuffer()
            Raster(it.height, it.width, 1, FloatArray(it.height * it.width).also(numbers::get))
        }
    }

    override fun close() {
        if (landmarker.isInitialized()) landmarker.value.close()
        if (segmenter.isInitialized()) segmenter.value.close()
    }

    private fun makeLandmarker(base: BaseOptions): FaceLandmarker = FaceLandmarker.createFromOptions(
        context,
        FaceLandmarker.FaceLandmarkerOptions.builder()
            .setBaseOptions(base)
            .setRunningMode(RunningMode.IMAGE)
            .setNumFaces(MOST_FACES)
            .build(),
    )

    private fun makeSegmenter(base: BaseOptions): ImageSegmenter = ImageSegmenter.createFromOptions(
        context,
        ImageSegmenter.ImageSegmenterOptions.builder()
            .setBaseOptions(base)
            .setRunningMode(RunningMode.IMAGE)
            .setOutputConfidenceMasks(true)
            .setOutputCategoryMask(false)
            .build(),
    )

    private fun <T> loaded(file: String, make: (BaseOptions) -> T): T = try {
        make(BaseOptions.builder().setModelAssetPath(file).build())
    } catch (error: RuntimeException) {
        throw ModelError("$file is missing from this app's assets or damaged", error)
    }
}
