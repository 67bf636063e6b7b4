// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import android.Manifest
import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.provider.MediaStore
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.Button
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.SeekBar
import android.widget.TextView
import java.io.IOException
import portrait.relight.Light
import portrait.relight.Photo
import portrait.relight.tflite.toBitmap

/** The one screen. It holds views only; what they show is [RelightViewModel]'s. */
class MainActivity : Activity() {
    private lateinit var model: RelightViewModel
    private lateinit var lamp: LampView
    private lateinit var text: TextView
    private lateinit var intensity: SeekBar
    private lateinit var progress: ProgressBar
    private lateinit var save: Button
    private var shown: Photo? = null
    private var picture: Bitmap? = null
    private var captured: Uri? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        val kept = lastNonConfigurationInstance as? RelightViewModel
        model = kept ?: newModel(this)
        setContentView(layout())
        captured = state?.getString(CAPTURED)?.let(Uri::parse)
        model.watch(::show)
        // After the system ended the app in the background, the photo and its light come back.
        val source = state?.getString(SOURCE)
        if (kept == null && source != null) model.open(source, state.getDoubleArray(LIGHT)?.let(::toLight))
    }

    /** The rotated screen takes the model over. */
    override fun onRetainNonConfigurationInstance(): Any = model

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        model.state.source?.let { state.putString(SOURCE, it) }
        model.state.light?.let {
            state.putDoubleArray(LIGHT, doubleArrayOf(it.azimuthDeg, it.elevationDeg, it.intensity))
        }
        captured?.let { state.putString(CAPTURED, it.toString()) }
    }

    override fun onDestroy() {
        model.watch(null)
        if (!isChangingConfigurations) model.close()
        super.onDestroy()
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        super.onActivityResult(request, result, data)
        val taken = captured
        when {
            request == PICK && result == RESULT_OK -> data?.data?.let { model.open(it.toString()) }
            request == TAKE && result == RESULT_OK -> taken?.let { model.open(it.toString()) }
            request == TAKE && taken != null -> contentResolver.delete(taken, null, null)
        }
        if (request == TAKE) captured = null
    }

    private fun pick() {
        val picker = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("image/*")
        val photos = if (Build.VERSION.SDK_INT >= 33) Intent(MediaStore.ACTION_PICK_IMAGES) else picker
        try {
            startActivityForResult(photos, PICK)
        } catch (_: ActivityNotFoundException) {
            startActivityForResult(picker, PICK)
        }
    }

    /** Since the live screen may use the camera itself, Android asks before another app takes a photo. */
    private fun askToTake() {
        if (checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED) {
            take()
        } else {
            requestPermissions(arrayOf(Manifest.permission.CAMERA), TAKE)
        }
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        super.onRequestPermissionsResult(request, permissions, results)
        val allowed = results.firstOrNull() == PackageManager.PERMISSION_GRANTED
        if (allowed) take() else model.say(Message.NoCamera)
    }

    private fun take() {
        try {
            val picture = newPicture(contentResolver, newName("photo"), hidden = false)
            captured = picture
            val camera = Intent(MediaStore.ACTION_IMAGE_CAPTURE).putExtra(MediaStore.EXTRA_OUTPUT, picture)
            startActivityForResult(camera.addFlags(Intent.FLAG_GRANT_WRITE_URI_PERMISSION), TAKE)
        } catch (_: ActivityNotFoundException) {
            captured?.let { contentResolver.delete(it, null, null) }
            captured = null
            model.say(Message.NoCamera)
        } catch (_: IOException) {
            model.say(Message.NotSaved)
        }
    }

    private fun show(state: UiState) {
        val photo = state.after ?: state.before
        if (photo !== shown || photo == null) {
            shown = photo
            picture = photo?.toBitmap()
        }
        lamp.show(picture, state.light.takeIf { state.after != null })
        text.text = words(state)
        progress.visibility = if (state.work == Work.NONE) View.INVISIBLE else View.VISIBLE
        intensity.isEnabled = state.ready
        save.isEnabled = state.ready
        intensity.progress = ((state.light?.intensity ?: 0.0) * STEPS).toInt()
    }

    private fun words(state: UiState): CharSequence = when (val message = state.message) {
        null -> when {
            state.work == Work.LOOKING -> getText(R.string.looking)
            state.work == Work.SAVING -> getText(R.string.saving)
            state.light == null -> getText(R.string.start)
            else -> state.light.reason.ifEmpty { getText(R.string.drag) }
        }
        is Message.Broken -> getString(message.words, message.details)
        else -> getText(message.words)
    }

    private fun layout(): View {
        lamp = LampView(this).apply {
            onMove = { model.move(it) }
            contentDescription = getText(R.string.lamp)
        }
        text = TextView(this).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE }
        progress = ProgressBar(this, null, android.R.attr.progressBarStyleHorizontal).apply { isIndeterminate = true }
        intensity = SeekBar(this).apply {
            max = MOST * STEPS
            contentDescription = getText(R.string.intensity)
            setOnSeekBarChangeListener(Brightness())
        }
        save = button(R.string.save) { model.save() }
        val buttons = LinearLayout(this).apply {
            addView(button(R.string.pick) { pick() }, LinearLayout.LayoutParams(0, WRAP_CONTENT, 1f))
            addView(button(R.string.take) { askToTake() }, LinearLayout.LayoutParams(0, WRAP_CONTENT, 1f))
            addView(save, LinearLayout.LayoutParams(0, WRAP_CONTENT, 1f))
        }
        return LinearLayout(this).apply {
            orientation = LinearLayout.VERTICAL
            fitsSystemWindows = true
            addView(lamp, LinearLayout.LayoutParams(MATCH_PARENT, 0, 1f))
            for (part in listOf(progress, text, intensity, buttons)) addView(part, MATCH_PARENT, WRAP_CONTENT)
        }
    }

    private fun button(label: Int, action: () -> Unit) = Button(this).apply {
        setText(label)
        setOnClickListener { action() }
    }

    private inner class Brightness : SeekBar.OnSeekBarChangeListener {
        override fun onProgressChanged(bar: SeekBar, value: Int, byUser: Boolean) {
            if (byUser) model.state.light?.let { model.move(it.copy(intensity = value / STEPS.toDouble(), reason = "")) }
        }

        override fun onStartTrackingTouch(bar: SeekBar) = Unit

        override fun onStopTrackingTouch(bar: SeekBar) = Unit
    }

    private companion object {
        const val PICK = 1
        const val TAKE = 2
        const val STEPS = 50
        const val MOST = 2
        const val SOURCE = "source"
        const val LIGHT = "light"
        const val CAPTURED = "captured"

        fun toLight(numbers: DoubleArray) = Light(numbers[0], numbers[1], numbers[2])
    }
}
