// SPDX-License-Identifier: Apache-2.0
/** The Kotlin of docs/android.md, word for word: it is compiled here. */
package portrait.relight.sample

import android.app.Activity
import android.graphics.Bitmap
import android.widget.ImageView
import android.widget.TextView
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch
import portrait.relight.Light
import portrait.relight.Photo
import portrait.relight.Portrait
import portrait.relight.Relighter
import portrait.relight.Setup
import portrait.relight.awaitLook
import portrait.relight.awaitRender
import portrait.relight.awaitSuggest
import portrait.relight.previews
import portrait.relight.tflite.TfliteModels
import portrait.relight.tflite.toBitmap
import portrait.relight.tflite.toPhoto

/** An activity of any app; [lifecycleScope] is what androidx.lifecycle gives it. */
abstract class Page : Activity() {
    abstract val lifecycleScope: CoroutineScope
    abstract val imageView: ImageView
    abstract val textView: TextView

    private val relighter by lazy { Relighter(TfliteModels(assets), threads = 4) }

    fun show(bitmap: Bitmap) {
        lifecycleScope.launch {
            val portrait = relighter.awaitLook(bitmap.toPhoto())
            val result = portrait.awaitRender(portrait.awaitSuggest())
            imageView.setImageBitmap(result.image.toBitmap())
            textView.text = result.setup.reason                         // why the light stands there
        }
    }

    fun tryLights(portrait: Portrait) {
        val light = portrait.suggest().lights.single()              // or Light(azimuthDeg = 40.0, elevationDeg = 30.0)
        val frame = portrait.render(listOf(light.copy(azimuthDeg = -20.0)), side = 720).image   // a preview
        val dimmed = Setup(listOf(light), fill = 0.5)               // half of the light that was there stays
        val full = portrait.render(dimmed, strength = 0.8).image
        check(frame.width <= full.width)
    }

    fun follow(relighter: Relighter, frame: Photo, setup: Setup): Photo {
        val take = relighter.take()
        val lit = take.look(frame, atS = System.nanoTime() / 1e9).render(setup).image       // on a thread of its own
        return lit
    }

    fun drag(portrait: Portrait, setups: Flow<Setup>) {
        lifecycleScope.launch {
            portrait.previews(setups, side = 720).collect { imageView.setImageBitmap(it.image.toBitmap()) }
        }
    }
}
