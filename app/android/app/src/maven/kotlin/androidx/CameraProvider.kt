// SPDX-License-Identifier: Apache-2.0
@file:Suppress("UNUSED_PARAMETER", "unused")

package androidx.camera.lifecycle

import android.content.Context
import androidx.camera.core.Camera
import androidx.camera.core.CameraInfo
import androidx.camera.core.CameraSelector
import androidx.camera.core.UseCase
import androidx.lifecycle.LifecycleOwner
import java.util.concurrent.Executor
import java.util.concurrent.Future

interface ListenableFuture<T> : Future<T> {
    fun addListener(listener: Runnable, executor: Executor)
}

class ProcessCameraProvider private constructor() {
    fun hasCamera(cameraSelector: CameraSelector): Boolean = TODO()

    fun getCameraInfo(cameraSelector: CameraSelector): CameraInfo = TODO()

    fun unbindAll(): Unit = TODO()

    fun bindToLifecycle(lifecycleOwner: LifecycleOwner, cameraSelector: CameraSelector, vararg useCases: UseCase?): Camera = TODO()

    companion object {
        @JvmStatic
        fun getInstance(context: Context): ListenableFuture<ProcessCameraProvider> = TODO()
    }
}
