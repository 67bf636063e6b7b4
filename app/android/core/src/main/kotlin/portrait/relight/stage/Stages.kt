// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.util.WeakHashMap
import kotlin.math.exp
import portrait.relight.Constants.Environment.HEIGHT
import portrait.relight.Constants.Environment.WIDTH
import portrait.relight.Constants.Stages.GREY
import portrait.relight.Constants.Stages.LOG_RANGE
import portrait.relight.Constants.Stages.TRUSTED
import portrait.relight.Constants.Stages.TRUST_BLUR
import portrait.relight.Constants.View.SIDE

/**
 * Normals and the trust in them, 128 x 128.
 *
 * @property vectors unit normals, crop's frame.
 * @property confidence in [0, 1], 0 outside the person.
 */
public class Normals(public val vectors: Raster, public val confidence: Raster)

/**
 * The estimates made of a face, all on its upright crop at 128 pixels and in the crop's frame: the camera
 * frame turned about the camera's axis so that the head is upright.
 */
public interface Stages : AutoCloseable {
    /** Surface normals of the person. */
    public fun normals(view: View): Normals

    /** The light already there, 16 x 32, in the photo's linear units. */
    public fun lighting(view: View, normals: Raster): Environment

    /**
     * Key gain G of a light's direction and softness, for unit intensity and white light.
     *
     * @param normals of [Normals.vectors].
     * @return three channels >= 0.
     */
    public fun gain(view: View, normals: Raster, environment: Environment, light: Light): Raster
}

/**
 * The stages as the three networks make them, whatever runs the networks.
 *
 * The networks are `normals` (photo of twice the size, mesh -> normals, confidence), `lighting`
 * (photo, normals, skin -> log_environment) and `quotient` (photo of twice the size, normals,
 * visibility, shading, light -> gain).
 */
public class NetworkStages(private val models: Models) : Stages {
    /** Each face's existing light and the shading it makes, while the face is in use. */
    private val shadings = WeakHashMap<View, Pair<Environment, Raster>>()

    override fun normals(view: View): Normals {
        val mesh = FloatArray(SIDE * SIDE * 4) {
            if (it % 4 == 3) view.face.data[it / 4] else view.mesh.normals.data[it / 4 * 3 + it % 4]
        }
        val found = models.run("normals", mapOf("photo" to view.finePhoto.data, "mesh" to mesh))
        val confidence = Raster(SIDE, SIDE, 1, found.getValue("confidence"))
        val (doubted, trusted) = TRUSTED
        val trust = confidence.map { smoothstep(it, doubted, trusted) }
        val soft = gaussianBlur(trust, TRUST_BLUR.toDouble(), Border.REPLICATE)
        return Normals(
            Raster(SIDE, SIDE, 3, found.getValue("normals")),
            soft.zip(view.person) { a, b -> a * b },
        )
    }

    override fun lighting(view: View, normals: Raster): Environment {
        val inputs = mapOf(
            "photo" to view.photo.data,
            "normals" to normals.weighted(view.person).data,
            "skin" to view.skin.data,
        )
        val found = Raster(HEIGHT, WIDTH, 3, models.run("lighting", inputs).getValue("log_environment"))
        val (least, most) = LOG_RANGE
        return Environment(found.map { exp(it.coerceIn(least, most)) })
    }

    override fun gain(view: View, normals: Raster, environment: Environment, light: Light): Raster {
        val onPerson = normals.weighted(view.person)
        val direction = light.direction
        val radius = radians(light.softnessDeg).toFloat()
        val inputs = mapOf(
            "photo" to view.finePhoto.data,
            "normals" to onPerson.data,
            "visibility" to lightVisibility(view.mesh, onPerson, direction, radius).data,
            "shading" to shadingOf(view, normals, environment).data,
            "light" to floatArrayOf(
                direction.x.toFloat(),
                direction.y.toFloat(),
                direction.z.toFloat(),
                radius,
            ),
        )
        val gain = models.run("quotient", inputs).getValue("gain")
        if (!isGrey(view.photo)) return Raster(SIDE, SIDE, 3, gain)
        return Raster(SIDE, SIDE, 3, FloatArray(gain.size) { // a grey photo stays grey
            val first = it - it % 3
            (gain[first] + gain[first + 1] + gain[first + 2]) / 3
        })
    }

    /** The shading of a face, kept: a light that moves leaves it alone. */
    private fun shadingOf(view: View, normals: Raster, environment: Environment): Raster = synchronized(shadings) {
        shadings[view]?.takeIf { it.first === environment }?.second
            ?: shading(environment, normals.weighted(view.person), view.face).also { shadings[view] = environment to it }
    }

    /** Frees the networks. */
    override fun close(): Unit = models.close()
}

private fun isGrey(photo: Raster): Boolean = (photo.data.indices step 3).all {
    val (red, green, blue) = Triple(photo.data[it], photo.data[it + 1], photo.data[it + 2])
    maxOf(red, green, blue) - minOf(red, green, blue) < GREY
}
