// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import portrait.relight.Constants.View.BLIND
import portrait.relight.Constants.View.EXPOSED
import portrait.relight.Constants.View.FACING
import portrait.relight.Constants.View.FEATURES
import portrait.relight.Constants.View.FINE
import portrait.relight.Constants.View.RIM
import portrait.relight.Constants.View.SEEN
import portrait.relight.Constants.View.SIDE
import portrait.relight.Constants.View.SOFT
import portrait.relight.Constants.View.STRAY

/**
 * A face's crop, upright, and what is known of it before any estimate; 128 x 128 unless said otherwise.
 *
 * All of it lies in the crop's frame: the camera frame turned about the camera's axis so that the head is
 * upright.
 *
 * @property finePhoto 256 x 256, sRGB in [0, 1].
 * @property photo the same at 128 x 128.
 * @property mesh the face mesh.
 * @property innerFace in [0, 1], the face mesh without the part of its rim that is turned away, softened;
 *   all of it and a pixel around it where the face is all that is known of a person.
 * @property skin in [0, 1], trust in a pixel as plain, well exposed skin.
 * @property outline 256 x 256, probability in [0, 1] of a person.
 * @property landmarks triples in pixels of the crop at 128 pixels, z in the same scale, smaller nearer.
 */
public class View(
    public val finePhoto: Raster,
    public val photo: Raster,
    public val mesh: Surface,
    public val innerFace: Raster,
    public val skin: Raster,
    public val outline: Raster,
    public val landmarks: FloatArray,
) {
    /** 1 on the face mesh, else 0. */
    public val face: Raster get() = mesh.mask

    /** Probability in [0, 1] of a person. */
    public val person: Raster by lazy { shrink(outline, FINE) }

    /** Whether the networks see the face's mirror image. */
    internal val mirrored: Boolean by lazy { brighterLeft(finePhoto, 1f) }

    /** Mirror images of the face's points. */
    internal val images: Mirror by lazy { mirror(landmarks, SIDE) }

    /** The photo in linear light. */
    public val linear: Raster by lazy { photo.map { srgbToLinear(it) } }

    /** The same with another outline of the person. */
    internal fun outlined(other: Raster): View = View(finePhoto, photo, mesh, innerFace, skin, other, landmarks)
}

/** Sees a face as the stages do. */
internal fun look(perception: Perception, photo: Photo, face: Face): View {
    val crop = face.crop.extract(photo, FINE * SIDE)
    val small = shrink(crop, FINE).toRaster()
    val landmarks = face.cropLandmarks(SIDE)
    val (mesh, features) = drawings(landmarks, face.cropPose, brighterLeft(crop))
    val (normals, mask) = mesh.normals to mesh.mask
    val inner = erode(mask, RIM)
    val plain = dilate(features, RIM).map { 1 - it }
    val person = perception.person(crop)
    require(person.rows == FINE * SIDE && person.columns == FINE * SIDE && person.channels == 1) {
        "a person's outline is as large as the picture it was found in"
    }
    val known = person.map { it.coerceIn(0f, 1f) }
    val seen = shrink(known, FINE)
    val blind = seen.zip(mask) { a, b -> a * b }.data.sumOf { it.toDouble() } < BLIND * mask.data.sum()
    // Near the mesh's rim, where nobody is seen, it lies on air: a nose in profile is drawn too long.
    val deep = erode(mask, STRAY)
    val onFace = if (blind) mask else Raster(SIDE, SIDE, 1, FloatArray(SIDE * SIDE) {
        if (seen.data[it] < SEEN) deep.data[it] else mask.data[it]
    })
    val outline = Raster(FINE * SIDE, FINE * SIDE, 1, FloatArray(person.data.size) {
        maxOf(known.data[it], onFace[it / (FINE * SIDE) / FINE, it % (FINE * SIDE) / FINE])
    })
    val certain = if (blind) dilate(mask, RIM) else Raster(SIDE, SIDE, 1, FloatArray(SIDE * SIDE) {
        minOf(onFace.data[it], if (normals.data[it * 3 + 2] > FACING) mask.data[it] else inner.data[it])
    })
    val skin = inner.zip(plain) { a, b -> a * b }.zip(exposed(small)) { a, b -> a * b }
    return View(crop.toRaster(), small, mesh, gaussianBlur(certain, SOFT.toDouble()), skin, outline, landmarks)
}

/**
 * The face mesh, and eyes, eyebrows and lips: a photo and its mirror image get the same drawing.
 *
 * @param mirror whether the mirror image is drawn, and turned back.
 */
private fun drawings(landmarks: FloatArray, headPose: Matrix, mirror: Boolean): Pair<Surface, Raster> {
    if (!mirror) return surface(landmarks, headPose, SIDE) to region(landmarks, FEATURES, SIDE)
    val other = mirroredLandmarks(landmarks, SIDE)
    val pose = Matrix(DoubleArray(9) { if ((it / 3 == 0) == (it % 3 == 0)) headPose.m[it] else -headPose.m[it] })
    val drawn = surface(other, pose, SIDE)
    val normals = drawn.normals.mirrored()
    for (i in normals.data.indices step 3) normals.data[i] *= -1f
    val mesh = Surface(normals, drawn.depth.mirrored(), drawn.mask.mirrored())
    return mesh to region(other, FEATURES, SIDE).mirrored()
}

/** 1 where a pixel is neither clipped nor black, else 0. */
private fun exposed(photo: Raster): Raster {
    val (dark, bright) = EXPOSED
    return Raster(photo.rows, photo.columns, 1, FloatArray(photo.data.size / 3) {
        val red = srgbToLinear(photo.data[it * 3])
        val green = srgbToLinear(photo.data[it * 3 + 1])
        val blue = srgbToLinear(photo.data[it * 3 + 2])
        if (maxOf(red, green, blue) < bright && luminance(red, green, blue) > dark) 1f else 0f
    })
}
