// SPDX-License-Identifier: Apache-2.0
/** What both screens of the sample begin with. */
package portrait.relight.sample

import android.content.Context
import android.net.Uri
import android.os.Handler
import android.os.Looper
import java.text.SimpleDateFormat
import java.util.Date
import java.util.Locale
import portrait.relight.Relighter
import portrait.relight.tflite.TfliteModels

/** The app's state, on the phone's own storage and networks; it outlives the screen that shows it. */
fun newModel(context: Context): RelightViewModel {
    val main = Handler(Looper.getMainLooper())
    val application = context.applicationContext
    val studio = RelightStudio(
        Relighter(TfliteModels(application.assets), threads = 4),
        { readPhoto(application.contentResolver, Uri.parse(it)) },
        { photo, source -> savePhoto(application.contentResolver, photo, Uri.parse(source), newName("relit")) },
    )
    return RelightViewModel(studio, { main.post(it) })
}

/** Name of a picture that is made now. */
fun newName(kind: String): String =
    "$kind-" + SimpleDateFormat("yyyyMMdd-HHmmss", Locale.ROOT).format(Date()) + ".jpg"

/** The resource that says it. */
val Message.words: Int
    get() = when (this) {
        Message.NoFace -> R.string.no_face
        Message.Unreadable -> R.string.unreadable
        Message.OutOfMemory -> R.string.out_of_memory
        Message.NotSaved -> R.string.not_saved
        Message.NoCamera -> R.string.no_camera
        Message.Saved -> R.string.saved
        is Message.Broken -> R.string.broken
    }
