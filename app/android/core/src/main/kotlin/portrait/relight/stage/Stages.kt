// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.util.WeakHashMap
import kotlin.math.exp
import kotlin.math.roundToInt
import kotlin.math.sqrt
import portrait.relight.Constants.Environment.HEIGHT
import portrait.relight.Constants.Environment.WIDTH
import portrait.relight.Constants.Quotient.SHINE
import portrait.relight.Constants.Stages.LOG_RANGE
import portrait.relight.Constants.Stages.SIDED
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
     * Key gain G of a light's direction, softness and gloss, for unit intensity and white light.
     *
     * @param normals of [Normals.vectors].
     * @return three channels >= 0.
     */
    public fun gain(view: View, normals: Raster, environment: Environment, light: Light): Raster
}

/**
 * The stages as the four networks make them, whatever runs the networks.
 *
 * The networks are `normals` (photo of twice the size, mesh -> normals, confidence), `lighting`
 * (photo, normals, skin -> log_environment), `shading` (photo of twice the size and its mirror image,
 * normals, the lighting's shading -> log_shading) and `key` (normals, mesh, cast shadows, light -> key).
 * A light that moves runs the last alone.
 */
public class NetworkStages(private val models: Models) : Stages {
    /** Each face's environment and what it makes there, while the face is in use. */
    private val kept = WeakHashMap<View, Pair<Environment, Existing>>()

    override fun normals(view: View): Normals {
        val mesh = FloatArray(SIDE * SIDE * 4) {
            if (it % 4 == 3) view.face.data[it / 4] else view.mesh.normals.data[it / 4 * 3 + it % 4]
        }
        val inputs = mapOf("photo" to view.photo.data, "mesh" to mesh)
        val found = asked("normals", inputs, view.mirrored)
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
        val logs = asked("lighting", inputs, view.mirrored).getValue("log_environment")
        val found = Raster(HEIGHT, WIDTH, 3, logs)
        val (least, most) = LOG_RANGE
        return Environment(found.map { exp(it.coerceIn(least, most)) })
    }

    override fun gain(view: View, normals: Raster, environment: Environment, light: Light): Raster {
        return gainOver(existingOf(view, normals, environment), view, light)
    }

    /** The same over the light already there. */
    internal fun gainOver(there: Existing, view: View, light: Light): Raster {
        val inputs = keyInputs(view, there.surface, light)
        val key = asked("key", inputs, inputs.getValue("light")[0] < 0).getValue("key")
        return there.gain(key, SHINE * light.gloss.toFloat())
    }

    /** Logarithm of the existing light's shading on normals [surface], with its colour on skin. */
    internal fun logShading(view: View, surface: Raster, environment: Environment): FloatArray {
        val inputs = shadingInputs(view, surface, environment)
        val found = asked("shading", inputs, view.mirrored).getValue("log_shading")
        val (smooth, believed) = inputs.getValue("shading") to inputs.getValue("belief")[0]
        val colors = SkinColors(view.linear, view.skin)
        val fine = fineShading(found, view.linear, view.images, view.face, colors.other)
        val bare = colors.uncovered(fine, smooth, believed)
        val color = colors.cast()
        return FloatArray(bare.size) { bare[it] + color.data[it] }
    }

    /** The light already there on a face, kept: a light that moves leaves it alone. */
    private fun existingOf(view: View, normals: Raster, environment: Environment): Existing = synchronized(kept) {
        kept[view]?.takeIf { it.first === environment }?.second ?: run {
            val surface = between(view, normals)
            val found = logShading(view, surface, environment)
            existing(view, surface, environment, found).also { kept[view] = environment to it }
        }
    }

    /**
     * Outputs of a network.
     *
     * @param mirror whether it is to see the mirror image: see [brighterLeft]. A moving light must not turn
     *   the face over for the other networks, nor the face a light.
     */
    private fun asked(name: String, inputs: Map<String, FloatArray>, mirror: Boolean): Map<String, FloatArray> =
        if (mirror) mirrored(models.run(name, mirrored(inputs))) else models.run(name, inputs)

    /** Frees the networks. */
    override fun close(): Unit = models.close()
}

/** Channels of the networks' pictures where they are not three; lists are a single pixel, */
private val CHANNELS = mapOf(
    "belief" to 1,
    "confidence" to 1,
    "face" to 1,
    "key" to 2,
    "light" to 4,
    "mesh" to 4,
    "mirrored" to 5,
    "skin" to 1,
    "unshadowed" to 1,
)

/** and columns of those that are not square. */
private val COLUMNS = mapOf("log_environment" to WIDTH)

/** Inputs or outputs of a network, by name, as the mirror image has them. */
internal fun mirrored(arrays: Map<String, FloatArray>): Map<String, FloatArray> = arrays.mapValues { (name, values) ->
    val channels = CHANNELS[name] ?: 3
    val columns = COLUMNS[name] ?: sqrt(values.size.toDouble() / channels).roundToInt()
    val other = FloatArray(values.size)
    for (i in values.indices step channels) {
        val from = i + (columns - 1 - 2 * (i / channels % columns)) * channels
        values.copyInto(other, i, from, from + channels)
        if (name in SIDED) other[i] *= -1f
    }
    other
}
