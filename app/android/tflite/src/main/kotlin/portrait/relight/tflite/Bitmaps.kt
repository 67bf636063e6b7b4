// SPDX-License-Identifier: Apache-2.0
/** Android's bitmaps to photos and back. */
package portrait.relight.tflite

import android.graphics.Bitmap
import portrait.relight.Photo

/**
 * The bitmap as a photo; alpha is left out.
 *
 * @throws IllegalStateException for a hardware bitmap: decode with `ALLOCATOR_SOFTWARE`.
 */
public fun Bitmap.toPhoto(): Photo {
    val rgb = ByteArray(height * width * 3)
    val line = IntArray(width)
    var k = 0
    for (y in 0 until height) { // a row at a time: a large photo as integers would be a third copy
        getPixels(line, 0, width, 0, y, width, 1)
        for (color in line) {
            rgb[k++] = (color shr 16).toByte()
            rgb[k++] = (color shr 8).toByte()
            rgb[k++] = color.toByte()
        }
    }
    return Photo(height, width, rgb)
}

/** The photo as an opaque bitmap. */
public fun Photo.toBitmap(): Bitmap {
    val bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
    val line = IntArray(width)
    var k = 0
    for (y in 0 until height) {
        for (x in 0 until width) {
            line[x] = (255 shl 24) or ((rgb[k].toInt() and 255) shl 16) or
                ((rgb[k + 1].toInt() and 255) shl 8) or (rgb[k + 2].toInt() and 255)
            k += 3
        }
        bitmap.setPixels(line, 0, width, 0, y, width, 1)
    }
    return bitmap
}
