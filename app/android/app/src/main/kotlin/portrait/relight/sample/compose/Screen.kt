// SPDX-License-Identifier: Apache-2.0
/** What the Compose sample shows: a photo under a lamp, or what the camera sees under one. */
package portrait.relight.sample.compose

import androidx.compose.foundation.Canvas
import androidx.compose.foundation.Image
import androidx.compose.foundation.gestures.detectDragGestures
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.material3.Button
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.Slider
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberUpdatedState
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.asImageBitmap
import androidx.compose.ui.graphics.drawscope.Stroke
import androidx.compose.ui.input.pointer.pointerInput
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import portrait.relight.Light
import portrait.relight.Photo
import portrait.relight.sample.Message
import portrait.relight.sample.R
import portrait.relight.sample.UiState
import portrait.relight.sample.Work
import portrait.relight.sample.lampPlace
import portrait.relight.sample.movedLight
import portrait.relight.sample.words
import portrait.relight.tflite.toBitmap

private val SPACE = 8.dp
private val LAMP = 18.dp

/** Most that the slider makes of a light. */
private const val BRIGHTEST = 2f

/** The open photo, its light, and what to do with them. */
@Composable
fun StudioScreen(
    state: UiState,
    onMove: (Light) -> Unit,
    onPick: () -> Unit,
    onCamera: () -> Unit,
    onSave: () -> Unit,
) {
    val light = state.light
    Column(Modifier.fillMaxSize().safeDrawingPadding()) {
        LitPhoto(state.after ?: state.before, light.takeIf { state.after != null }, Modifier.weight(1f), onMove)
        if (state.work != Work.NONE) LinearProgressIndicator(Modifier.fillMaxWidth())
        Text(words(state), Modifier.padding(SPACE))
        Slider(
            value = light?.intensity?.toFloat() ?: 0f,
            onValueChange = { value -> light?.let { onMove(it.copy(intensity = value.toDouble(), reason = "")) } },
            enabled = state.ready,
            valueRange = 0f..BRIGHTEST,
        )
        Row {
            Choice(R.string.pick, true, onPick)
            Choice(R.string.camera, true, onCamera)
            Choice(R.string.save, state.ready, onSave)
        }
    }
}

/** What the camera sees, relit; a photo is taken with [onTake]. */
@Composable
fun LiveScreen(frame: Photo?, light: Light?, onMove: (Light) -> Unit, onTake: () -> Unit) {
    Column(Modifier.fillMaxSize().safeDrawingPadding()) {
        LitPhoto(frame, light, Modifier.weight(1f), onMove)
        Choice(R.string.take, frame != null, onTake)
    }
}

@Composable
private fun Choice(label: Int, enabled: Boolean, onClick: () -> Unit) {
    Button(onClick, Modifier.padding(SPACE), enabled) { Text(stringResource(label)) }
}

/** A photo, and over it the lamp: a finger drags it. */
@Composable
private fun LitPhoto(photo: Photo?, light: Light?, modifier: Modifier, onMove: (Light) -> Unit) {
    val shown by rememberUpdatedState(light)
    Box(modifier.fillMaxWidth()) {
        if (photo != null) {
            val picture = remember(photo) { photo.toBitmap().asImageBitmap() }
            Image(picture, stringResource(R.string.lamp), Modifier.fillMaxSize())
        }
        if (light != null) {
            val dragged = Modifier.fillMaxSize().pointerInput(Unit) {
                detectDragGestures { change, _ ->
                    val (x, y) = change.position.x / size.width to change.position.y / size.height
                    shown?.let { onMove(movedLight(it, x, y)) }
                }
            }
            Canvas(dragged) {
                val (x, y) = lampPlace(light)
                val place = Offset(x * size.width, y * size.height)
                drawCircle(Color.White, LAMP.toPx() / 2, place)
                drawCircle(Color.White, LAMP.toPx(), place, style = Stroke(LAMP.toPx() / 6))
            }
        }
    }
}

@Composable
private fun words(state: UiState): String = when (val message = state.message) {
    null -> when {
        state.work == Work.LOOKING -> stringResource(R.string.looking)
        state.work == Work.SAVING -> stringResource(R.string.saving)
        else -> state.light?.let { it.reason.ifEmpty { stringResource(R.string.drag) } } ?: stringResource(R.string.start)
    }
    is Message.Broken -> stringResource(message.words, message.details)
    else -> stringResource(message.words)
}
