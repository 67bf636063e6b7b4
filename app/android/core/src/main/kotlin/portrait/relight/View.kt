// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/** Side of the crop that the stages work on, pixels. */
public const val SIDE: Int = 128

/** The person's segmentation and the quotient network see the crop at this many times [SIDE]. */
public const val FINE: Int = 2

/** Side of the square by which the face mesh is eroded: landmarks err by a pixel at its rim. */
private const val RIM = 3

/** Side of the square by which it is eroded to what is a face whatever the segmentation sees. */
private const val STRAY = 9

/** Parts of a face that are no plain skin. */
internal val FEATURES = listOf("lips", "left_eye", "right_eye", "left_eyebrow", "right_eyebrow")

/** Luminance above, and brightest channel, linear, below which a pixel says something about light. */
private const val TOO_DARK = 0.002f
private const val TOO_BRIGHT = 0.98f

/** Cosine to the camera from which the mesh's rim is trusted: there it ends on skin, not on air. */
private const val FACING = 0.4f

/** Least mean probability of a person over the face at which the segmentation is believed. */
private const val BLIND = 0.8f

/**
 * A face's crop and what is known of it before any estimate; 128 x 128 unless said otherwise.
 *
 * @property finePhoto 256 x 256, sRGB in [0, 1].
 * @property photo the same at 128 x 128.
 * @property mesh the face mesh.
 * @property innerFace in [0, 1], the face mesh without the part of its rim that is turned away, softened;
 *   all of it and a pixel around it where the face is all that is known of a person.
 * @property skin in [0, 1], trust in a pixel as plain, well exposed skin.
 * @property outline 256 x 256, probability in [0, 1] of a person.
 */
public class View(
    public val finePhoto: Raster,
    public val photo: Raster,
    public val mesh: Surface,
    public val innerFace: Raster,
    public val skin: Raster,
    public val outline: Raster,
) {
    /** 1 on the face mesh, else 0. */
    public val face: Raster get() = mesh.mask

    /** Probability in [0, 1] of a person. */
    public val person: Raster by lazy { shrink(outline, FINE) }

    /** The photo in linear light. */
    public val linear: Raster by lazy { photo.map { srgbToLinear(it) } }
}

/** Sees a face as the stages do. */
internal fun look(detector: Detector, photo: Photo, face: Face): View {
    val crop = face.crop.extract(photo, FINE * SIDE)
    val small = shrink(crop, FINE).toRaster()
    val landmarks = face.cropLandmarks(SIDE)
    val mesh = surface(landmarks, face.headPose, SIDE)
    val (normals, mask) = mesh.normals to mesh.mask
    val inner = erode(mask, RIM)
    val plain = dilate(region(landmarks, FEATURES, SIDE), RIM).map { 1 - it }
    val person = detector.person(crop)
    require(person.rows == FINE * SIDE && person.columns == FINE * SIDE && person.channels == 1) {
        "a person's outline is as large as the picture it was found in"
    }
    val known = person.map { it.coerceIn(0f, 1f) }
    val seen = shrink(known, FINE)
    val blind = seen.zip(mask) { a, b -> a * b }.data.sumOf { it.toDouble() } < BLIND * mask.data.sum()
    // Near the mesh's rim, where nobody is seen, it lies on air: a nose in profile is drawn too long.
    val deep = erode(mask, STRAY)
    val onFace = if (blind) mask else Raster(SIDE, SIDE, 1, FloatArray(SIDE * SIDE) {
        if (seen.data[it] < 0.5f) deep.data[it] else mask.data[it]
    })
    val outline = Raster(FINE * SIDE, FINE * SIDE, 1, FloatArray(person.data.size) {
        maxOf(known.data[it], onFace[it / (FINE * SIDE) / FINE, it % (FINE * SIDE) / FINE])
    })
    val certain = if (blind) dilate(mask, RIM) else Raster(SIDE, SIDE, 1, FloatArray(SIDE * SIDE) {
        minOf(onFace.data[it], if (normals.data[it * 3 + 2] > FACING) mask.data[it] else inner.data[it])
    })
    val skin = inner.zip(plain) { a, b -> a * b }.zip(exposed(small)) { a, b -> a * b }
    return View(crop.toRaster(), small, mesh, gaussianBlur(certain, SIDE / 200.0), skin, outline)
}

/** 1 where a pixel is neither clipped nor black, else 0. */
private fun exposed(photo: Raster): Raster = Raster(photo.rows, photo.columns, 1, FloatArray(photo.data.size / 3) {
    val (red, green, blue) = List(3) { c -> srgbToLinear(photo.data[it * 3 + c]) }
    if (maxOf(red, green, blue) < TOO_BRIGHT && luminance(red, green, blue) > TOO_DARK) 1f else 0f
})
