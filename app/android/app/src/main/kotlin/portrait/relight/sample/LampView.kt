// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Matrix
import android.graphics.Paint
import android.view.MotionEvent
import android.view.View
import portrait.relight.Light

/** The photo, and over it the lamp: a finger drags it. */
class LampView(context: Context) : View(context) {
    /** Told each time a finger moves the lamp. */
    var onMove: (Light) -> Unit = {}

    private val paint = Paint(Paint.ANTI_ALIAS_FLAG or Paint.FILTER_BITMAP_FLAG)
    private val place = Matrix()
    private var picture: Bitmap? = null
    private var light: Light? = null

    /** Shows a photo and where its light stands; null for none. */
    fun show(picture: Bitmap?, light: Light?) {
        this.picture = picture
        this.light = light
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        val picture = picture ?: return
        val scale = minOf(width.toFloat() / picture.width, height.toFloat() / picture.height)
        place.setScale(scale, scale)
        place.postTranslate((width - picture.width * scale) / 2, (height - picture.height * scale) / 2)
        paint.style = Paint.Style.FILL
        canvas.drawBitmap(picture, place, paint)
        val lamp = lampPlace(light ?: return)
        val radius = resources.displayMetrics.density * RADIUS_DP
        val (x, y) = lamp.first * width to lamp.second * height
        paint.color = Color.WHITE
        canvas.drawCircle(x, y, radius / 2, paint)
        paint.style = Paint.Style.STROKE
        paint.strokeWidth = radius / 6
        canvas.drawCircle(x, y, radius, paint)
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        val light = light ?: return false
        if (width == 0 || height == 0) return false
        if (event.actionMasked == MotionEvent.ACTION_UP) performClick()
        onMove(movedLight(light, event.x / width, event.y / height))
        return true
    }

    override fun performClick(): Boolean {
        super.performClick()
        return true
    }

    private companion object {
        const val RADIUS_DP = 18f
    }
}
