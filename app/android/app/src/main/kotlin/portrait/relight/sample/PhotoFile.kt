// SPDX-License-Identifier: Apache-2.0
/** Photos from and to the phone's storage. */
package portrait.relight.sample

import android.annotation.TargetApi
import android.content.ContentResolver
import android.content.ContentValues
import android.graphics.Bitmap
import android.graphics.ColorSpace
import android.graphics.ImageDecoder
import android.media.ExifInterface
import android.net.Uri
import android.os.Build
import android.os.Environment
import android.provider.MediaStore
import java.io.IOException
import kotlin.math.ceil
import kotlin.math.sqrt
import portrait.relight.Photo
import portrait.relight.tflite.toBitmap
import portrait.relight.tflite.toPhoto

/** Larger photos are halved, or more, while they are decoded: memory is a phone's shortest supply. */
private const val MOST_PIXELS = 24_000_000.0

private const val QUALITY = 95

/** A gain map has a quarter of its photo's resolution: the photo is decoded small to get at it. */
private const val GAINMAP_SAMPLE = 4
private const val FOLDER = "Portrait Relight"

/** What of a photo's EXIF belongs to its picture after relighting too. */
private val KEPT = listOf(
    ExifInterface.TAG_DATETIME, ExifInterface.TAG_DATETIME_ORIGINAL, ExifInterface.TAG_DATETIME_DIGITIZED,
    ExifInterface.TAG_OFFSET_TIME, ExifInterface.TAG_OFFSET_TIME_ORIGINAL,
    ExifInterface.TAG_SUBSEC_TIME, ExifInterface.TAG_SUBSEC_TIME_ORIGINAL,
    ExifInterface.TAG_MAKE, ExifInterface.TAG_MODEL, ExifInterface.TAG_ARTIST, ExifInterface.TAG_COPYRIGHT,
    ExifInterface.TAG_IMAGE_DESCRIPTION, ExifInterface.TAG_USER_COMMENT,
    ExifInterface.TAG_EXPOSURE_TIME, ExifInterface.TAG_F_NUMBER, ExifInterface.TAG_ISO_SPEED_RATINGS,
    ExifInterface.TAG_FOCAL_LENGTH, ExifInterface.TAG_FOCAL_LENGTH_IN_35MM_FILM,
    ExifInterface.TAG_APERTURE_VALUE, ExifInterface.TAG_SHUTTER_SPEED_VALUE,
    ExifInterface.TAG_EXPOSURE_BIAS_VALUE, ExifInterface.TAG_METERING_MODE, ExifInterface.TAG_FLASH,
    ExifInterface.TAG_WHITE_BALANCE,
    ExifInterface.TAG_GPS_LATITUDE, ExifInterface.TAG_GPS_LATITUDE_REF,
    ExifInterface.TAG_GPS_LONGITUDE, ExifInterface.TAG_GPS_LONGITUDE_REF,
    ExifInterface.TAG_GPS_ALTITUDE, ExifInterface.TAG_GPS_ALTITUDE_REF,
    ExifInterface.TAG_GPS_DATESTAMP, ExifInterface.TAG_GPS_TIMESTAMP,
)

/**
 * Decodes a photo upright and as sRGB.
 *
 * @throws IOException if it cannot be read.
 */
fun readPhoto(resolver: ContentResolver, source: Uri): Photo {
    val bitmap = ImageDecoder.decodeBitmap(ImageDecoder.createSource(resolver, source)) { decoder, info, _ ->
        decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
        decoder.setTargetColorSpace(ColorSpace.get(ColorSpace.Named.SRGB))
        val pixels = info.size.width.toDouble() * info.size.height
        decoder.setTargetSampleSize(maxOf(1, ceil(sqrt(pixels / MOST_PIXELS)).toInt()))
    }
    return bitmap.toPhoto().also { bitmap.recycle() }
}

/**
 * Makes a place for a new picture in the gallery.
 *
 * @param hidden nobody else sees it before it is whole.
 * @throws IOException if there is none to be had.
 */
fun newPicture(resolver: ContentResolver, name: String, hidden: Boolean): Uri {
    val values = ContentValues().apply {
        put(MediaStore.Images.Media.DISPLAY_NAME, name)
        put(MediaStore.Images.Media.MIME_TYPE, "image/jpeg")
        put(MediaStore.Images.Media.RELATIVE_PATH, "${Environment.DIRECTORY_PICTURES}/$FOLDER")
        put(MediaStore.Images.Media.IS_PENDING, if (hidden) 1 else 0)
    }
    return resolver.insert(MediaStore.Images.Media.EXTERNAL_CONTENT_URI, values)
        ?: throw IOException("the gallery takes no picture")
}

/**
 * Saves a photo to the gallery with the EXIF of the photo it was made from; from Android 14 on an Ultra HDR
 * photo stays one.
 *
 * @throws IOException if it cannot be written; then nothing is left behind.
 */
fun savePhoto(resolver: ContentResolver, photo: Photo, source: Uri, name: String) {
    val picture = newPicture(resolver, name, hidden = true)
    try {
        resolver.openOutputStream(picture).use { stream ->
            val bitmap = photo.toBitmap()
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.UPSIDE_DOWN_CAKE) keepGainmap(resolver, source, bitmap)
            val written = stream != null && bitmap.compress(Bitmap.CompressFormat.JPEG, QUALITY, stream)
            bitmap.recycle()
            if (!written) throw IOException("the picture cannot be written")
        }
        copyExif(resolver, source, picture)
        resolver.update(picture, ContentValues().apply { put(MediaStore.Images.Media.IS_PENDING, 0) }, null, null)
    } catch (error: IOException) {
        resolver.delete(picture, null, null)
        throw error
    }
}

/**
 * Gives a relit photo the gain map of the one it was made from: how much brighter than its picture an HDR
 * screen shows each place. What was added by a key is shown as bright as the picture has it.
 */
@TargetApi(Build.VERSION_CODES.UPSIDE_DOWN_CAKE)
private fun keepGainmap(resolver: ContentResolver, source: Uri, relit: Bitmap) {
    val given = ImageDecoder.decodeBitmap(ImageDecoder.createSource(resolver, source)) { decoder, _, _ ->
        decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
        decoder.setTargetSampleSize(GAINMAP_SAMPLE)
    }
    relit.gainmap = given.gainmap
    given.recycle()
}

private fun copyExif(resolver: ContentResolver, source: Uri, picture: Uri) {
    val given = try {
        resolver.openInputStream(source)?.use { ExifInterface(it) } ?: return
    } catch (_: IOException) {
        return // no EXIF in this kind of file
    }
    resolver.openFileDescriptor(picture, "rw")?.use { file ->
        val exif = ExifInterface(file.fileDescriptor)
        for (tag in KEPT) given.getAttribute(tag)?.let { exif.setAttribute(tag, it) }
        exif.setAttribute(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL.toString())
        exif.setAttribute(ExifInterface.TAG_SOFTWARE, FOLDER)
        exif.saveAttributes()
    }
}
