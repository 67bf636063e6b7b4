// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample.compose

import android.Manifest
import android.app.Application
import android.graphics.Bitmap
import android.net.Uri
import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.compose.setContent
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import androidx.activity.result.contract.ActivityResultContracts.RequestPermission
import androidx.activity.viewModels
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.Composable
import androidx.compose.runtime.DisposableEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import androidx.lifecycle.AndroidViewModel
import kotlin.concurrent.thread
import portrait.relight.Light
import portrait.relight.Photo
import portrait.relight.RelightError
import portrait.relight.Relighter
import portrait.relight.sample.LiveLight
import portrait.relight.sample.Message
import portrait.relight.sample.RelightViewModel
import portrait.relight.sample.UiState
import portrait.relight.sample.newModel
import portrait.relight.tflite.TfliteModels
import portrait.relight.tflite.toPhoto

/** The same as the activity with views, in Compose, with a camera that relights while one looks. */
class ComposeActivity : ComponentActivity() {
    private val held: Held by viewModels()

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContent { MaterialTheme { Surface { Screen() } } }
    }

    @Composable
    private fun Screen() {
        val pick = rememberLauncherForActivityResult(PickVisualMedia()) { found ->
            if (found != null) held.model.open(found.toString())
        }
        val allow = rememberLauncherForActivityResult(RequestPermission()) { allowed ->
            if (allowed) held.looking = true else held.model.say(Message.NoCamera)
        }
        if (held.looking) {
            Live()
        } else {
            StudioScreen(
                held.state,
                onMove = held.model::move,
                onPick = { pick.launch(PickVisualMediaRequest(PickVisualMedia.ImageOnly)) },
                onCamera = { allow.launch(Manifest.permission.CAMERA) },
                onSave = held.model::save,
            )
        }
    }

    @Composable
    private fun Live() {
        var camera by held.camera
        DisposableEffect(this) {
            camera = Camera(this@ComposeActivity, this@ComposeActivity, ::show) { held.end(Message.NoCamera) }
            onDispose {
                camera?.close()
                camera = null
            }
        }
        LiveScreen(held.frame, held.live.light, onMove = held.live::move) {
            camera?.take { photo -> held.taken(photo) }
        }
    }

    /** Called on the camera's thread. */
    private fun show(seen: Bitmap) {
        try {
            held.show(seen.toPhoto())
        } catch (error: RelightError) {
            mainExecutor.execute { held.end(Message.Broken(error.message.orEmpty())) }
        }
    }
}

/** What outlives the screen's rotation. */
class Held(application: Application) : AndroidViewModel(application) {
    val model: RelightViewModel = newModel(application)
    val live = LiveLight(Relighter(TfliteModels(application.assets), threads = 2))
    val camera = mutableStateOf<Camera?>(null)

    /** What the screen shows of the open photo. */
    var state by mutableStateOf(UiState())
        private set

    /** Whether the camera is on. */
    var looking by mutableStateOf(false)

    /** What the camera saw last, relit. */
    var frame by mutableStateOf<Photo?>(null)
        private set

    init {
        model.watch { state = it }
    }

    /** Relights what the camera sees; on the camera's thread. */
    fun show(seen: Photo) {
        frame = live.relit(seen, System.nanoTime() / 1e9)
    }

    /** Opens a photo that was taken, with the light as it was on the screen. */
    fun taken(photo: Uri?) {
        val light: Light? = live.light
        end(if (photo == null) Message.NotSaved else null)
        if (photo != null) model.open(photo.toString(), light)
    }

    /** Turns the camera off. */
    fun end(message: Message?) {
        looking = false
        frame = null
        if (message != null) model.say(message)
    }

    override fun onCleared() {
        model.watch(null)
        model.close()
        thread { live.close() }
    }
}
