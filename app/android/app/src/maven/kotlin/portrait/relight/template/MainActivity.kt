// SPDX-License-Identifier: Apache-2.0
/** The whole activity of docs/android.md, word for word: it is compiled here. */
package portrait.relight.template

import android.graphics.Bitmap
import android.graphics.ImageDecoder
import android.net.Uri
import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.compose.setContent
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import androidx.compose.foundation.Image
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.material3.Button
import androidx.compose.material3.Text
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.asImageBitmap
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import portrait.relight.RelightError
import portrait.relight.Relighter
import portrait.relight.awaitLook
import portrait.relight.awaitRender
import portrait.relight.awaitSuggest
import portrait.relight.tflite.TfliteModels
import portrait.relight.tflite.toBitmap
import portrait.relight.tflite.toPhoto

class MainActivity : ComponentActivity() {
    private val relighter by lazy { Relighter(TfliteModels(assets), threads = 4) }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContent {
            var shown by remember { mutableStateOf<Bitmap?>(null) }
            var words by remember { mutableStateOf("") }
            val scope = rememberCoroutineScope()
            val pick = rememberLauncherForActivityResult(PickVisualMedia()) { found ->
                if (found != null) scope.launch {
                    try {
                        val photo = withContext(Dispatchers.IO) { decode(found).toPhoto() }
                        val portrait = relighter.awaitLook(photo)
                        val result = portrait.awaitRender(portrait.awaitSuggest(), side = 1080)
                        shown = result.image.toBitmap()
                        words = result.setup.reason
                    } catch (error: RelightError) {
                        words = error.message.orEmpty()     // no face, for one
                    }
                }
            }
            Column(Modifier.safeDrawingPadding()) {
                Button({ pick.launch(PickVisualMediaRequest(PickVisualMedia.ImageOnly)) }) { Text("Choose a portrait") }
                Text(words)
                shown?.let { Image(it.asImageBitmap(), contentDescription = words) }
            }
        }
    }

    private fun decode(photo: Uri): Bitmap =        // upright; needs Android 9, API 28
        ImageDecoder.decodeBitmap(ImageDecoder.createSource(contentResolver, photo)) { decoder, _, _ ->
            decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
        }
}
