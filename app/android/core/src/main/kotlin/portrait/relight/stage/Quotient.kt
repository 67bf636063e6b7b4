// SPDX-License-Identifier: Apache-2.0
/**
 * The key gain as a quotient, G = K / S: what a key light does, over the light already there. K comes from
 * the face's shape and the key alone, S from the photo alone, so that a key that moves leaves S as it is.
 */
package portrait.relight

import kotlin.math.exp
import kotlin.math.max
import portrait.relight.Constants.Quotient.FLOOR
import portrait.relight.Constants.Quotient.GREY
import portrait.relight.Constants.View.SIDE

/**
 * The light already there on a face, as the gain of any key needs it.
 *
 * @property surface normals, 0 outside the person.
 * @property lift what diffuse light of a key counts for: 1 / S.
 * @property shine what gloss counts for: radiance of a white surface in the mean light on the face over
 *   the photo's.
 */
internal class Existing(val surface: Raster, val lift: Raster, val shine: Raster) {
    /**
     * Key gain G, three channels >= 0.
     *
     * @param key diffuse shading under a key of unit irradiance and gloss over the radiance of a white
     *   surface facing it, interleaved.
     * @param gloss factor on the gloss.
     */
    fun gain(key: FloatArray, gloss: Float): Raster = Raster(SIDE, SIDE, 3, FloatArray(SIDE * SIDE * 3) {
        key[it / 3 * 2] * lift.data[it] + gloss * key[it / 3 * 2 + 1] * shine.data[it]
    })
}

/**
 * What any key needs to know of the light already there.
 *
 * @param logShading natural logarithm of the shading it makes, against the mean on the face.
 */
internal fun existing(view: View, surface: Raster, environment: Environment, logShading: FloatArray): Existing =
    existingAt(view, surface, meanIrradiance(environment, surface, view.face), lift(view, logShading))

/** The same where the mean irradiance over pi on the face, its [level], and the [lift] are known. */
internal fun existingAt(view: View, surface: Raster, level: Double, lift: Raster): Existing {
    val mean = level.toFloat()
    return Existing(surface, lift, view.linear.map { mean / max(it, FLOOR) })
}

/** What diffuse light of a key counts for where the shading has this logarithm. */
internal fun lift(view: View, logShading: FloatArray): Raster {
    val grey = isGrey(view.photo) // then it stays so
    return Raster(SIDE, SIDE, 3, FloatArray(logShading.size) {
        val first = it - it % 3
        val own = logShading[it]
        exp(-(if (grey) (logShading[first] + logShading[first + 1] + logShading[first + 2]) / 3 else own))
    })
}

/** What the shading network is told of a face, by name. */
internal fun shadingInputs(view: View, surface: Raster, environment: Environment): Map<String, FloatArray> {
    val lit = shading(environment, surface, view.face)
    val images = view.images
    val seen = Raster(SIDE, SIDE, 4, FloatArray(SIDE * SIDE * 4) {
        val at = it / 4 * 3
        if (it % 4 < 3) view.photo.data[at + it % 4] else (lit.data[at] + lit.data[at + 1] + lit.data[at + 2]) / 3
    })
    val other = reflect(seen, images)
    return mapOf(
        "photo" to view.photo.data,
        "mirrored" to FloatArray(SIDE * SIDE * 5) {
            if (it % 5 < 4) other.data[it / 5 * 4 + it % 5] else images.trust.data[it / 5]
        },
        "normals" to surface.data,
        "shading" to lit.data,
        "face" to view.face.data,
        "belief" to floatArrayOf(belief(lit, view.face)),
    )
}

/** What the key network is told of a face and a light, its direction in the crop's frame. */
internal fun keyInputs(view: View, surface: Raster, light: Light): Map<String, FloatArray> {
    val (direction, radius) = light.direction to radians(light.softnessDeg).toFloat()
    return mapOf(
        "normals" to surface.data,
        "unshadowed" to unshadowed(view.mesh, direction, radius).data,
        "face" to view.face.data,
        "light" to floatArrayOf(direction.x.toFloat(), direction.y.toFloat(), direction.z.toFloat(), radius),
    )
}

/** Normals between estimated ones and the mesh's, 0 outside the person. */
internal fun between(view: View, normals: Raster): Raster {
    val found = view.mesh.normals.zip(normals) { a, b -> a + b }
    normalize(found.data)
    return found.weighted(view.person)
}

/** Whether a picture has no colours. */
internal fun isGrey(photo: Raster): Boolean = (0 until photo.rows * photo.columns).all { cell ->
    val red = photo.data[cell * 3]
    val green = photo.data[cell * 3 + 1]
    val blue = photo.data[cell * 3 + 2]
    maxOf(red, green, blue) - minOf(red, green, blue) < GREY
}
