// SPDX-License-Identifier: Apache-2.0
package portrait.relight

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
 * @property vectors unit normals, camera frame.
 * @property confidence in [0, 1], 0 outside the person.
 */
public class Normals(public val vectors: Raster, public val confidence: Raster)

/** The estimates made of a face, all on its crop at 128 pixels. */
public interface Stages : AutoCloseable {
    /** Surface normals of the person. */
    public fun normals(view: View): Normals

    /** The light already there, 16 x 32, in the photo's linear units, camera frame. */
    public fun lighting(view: View, normals: Raster): Environment

    /**
     * Key gain G of a light's direction and softness, for unit intensity and white light.
     *
     * @param normals of [Normals.vectors].
     * @return three channels >= 0.
     */
    public fun gain(view: View, normals: Raster, environment: Environment, light: Light): Raster
}

/** A network that runs: numbers in, numbers out. */
public interface Model : AutoCloseable {
    /**
     * Runs once.
     *
     * @param inputs by name, row by row, channels interleaved, without batch axis; what the model does
     *   not ask for is left out.
     * @return outputs by name, likewise.
     * @throws ModelError if it does not run.
     */
    public fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray>
}

/**
 * The stages as the three networks make them, whatever runs the networks.
 *
 * The networks are `normals` (photo of twice the size, mesh -> normals, confidence), `lighting`
 * (photo, normals, skin -> log_environment) and `quotient` (photo of twice the size, normals,
 * visibility, shading, light -> gain). Each is opened at its first use, then kept. Not for two threads at once.
 *
 * @param open gives a network by its name.
 */
public class NetworkStages(private val open: (String) -> Model) : Stages {
    private val models = HashMap<String, Model>()

    override fun normals(view: View): Normals {
        val mesh = FloatArray(SIDE * SIDE * 4) {
            if (it % 4 == 3) view.face.data[it / 4] else view.mesh.normals.data[it / 4 * 3 + it % 4]
        }
        val found = run("normals", mapOf("photo" to view.finePhoto.data, "mesh" to mesh))
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
        val found = Raster(HEIGHT, WIDTH, 3, run("lighting", inputs).getValue("log_environment"))
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
            "shading" to shading(environment, onPerson, view.face).data,
            "light" to floatArrayOf(
                direction.x.toFloat(),
                direction.y.toFloat(),
                direction.z.toFloat(),
                radius,
            ),
        )
        val gain = run("quotient", inputs).getValue("gain")
        if (!isGrey(view.photo)) return Raster(SIDE, SIDE, 3, gain)
        return Raster(SIDE, SIDE, 3, FloatArray(gain.size) { // a grey photo stays grey
            val first = it - it % 3
            (gain[first] + gain[first + 1] + gain[first + 2]) / 3
        })
    }

    override fun close() {
        models.values.forEach { it.close() }
        models.clear()
    }

    private fun run(name: String, inputs: Map<String, FloatArray>): Map<String, FloatArray> =
        models.getOrPut(name) { open(name) }.run(inputs)
}

private fun isGrey(photo: Raster): Boolean = (photo.data.indices step 3).all {
    val (red, green, blue) = Triple(photo.data[it], photo.data[it + 1], photo.data[it + 2])
    maxOf(red, green, blue) - minOf(red, green, blue) < GREY
}
