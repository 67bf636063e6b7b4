// SPDX-License-Identifier: Apache-2.0
/**
 * Neck, shoulders, chest and arms: their shape from the person's outline, and the key on them.
 *
 * The surface is blown up like a balloon that is tied down at the outline, round where the person is narrow
 * and flat, facing the camera, where it is wide.
 *
 * Reference: Johnston 2002, "Lumo: Illumination for Cel Animation" (shape from an outline).
 */
package portrait.relight

import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.floor
import kotlin.math.hypot
import kotlin.math.ln1p
import kotlin.math.max
import kotlin.math.round
import kotlin.math.sqrt
import portrait.relight.Constants.Body.DEPTH
import portrait.relight.Constants.Body.INSIDE
import portrait.relight.Constants.Body.LEVEL
import portrait.relight.Constants.Body.LEVELS
import portrait.relight.Constants.Body.LIT
import portrait.relight.Constants.Body.MEETING
import portrait.relight.Constants.Body.NEAR
import portrait.relight.Constants.Body.NECK
import portrait.relight.Constants.Body.ROUND
import portrait.relight.Constants.Body.SHADED
import portrait.relight.Constants.Body.SPREAD
import portrait.relight.Constants.Body.STEPS
import portrait.relight.Constants.Body.TIED
import portrait.relight.Constants.Body.TRUST_SIDE
import portrait.relight.Constants.Body.UNKNOWN
import portrait.relight.Constants.Body.UPWARDS
import portrait.relight.Constants.Geometry.CROP_SCALE
import portrait.relight.Constants.Guide.BODY_SIDE
import portrait.relight.Constants.Key.SHARPNESS
import portrait.relight.Constants.Silhouette.SEEN_SIDE
import portrait.relight.Constants.View.BLIND

/**
 * What one look at a body tells; all of it on its square, in the head's crop's frame.
 *
 * @property crop the square.
 * @property person 256 x 256 probability in [0, 1] of a person.
 * @property normals 64 x 64 unit normals.
 * @property existing 64 x 64 light already there, over the face's mean, three channels.
 * @property trust 128 x 128 in [0, 1], how much of the key's light falls on them.
 * @property meeting 64 x 64 weight >= 0 with which the head's gain sets the level.
 * @param width pixels over which that level may change.
 * @property share 128 x 128 in [0, 1] on the head's crop, how far the light there is this body's: below the
 *   chin, where little is known of the surface.
 * @property onHead 128 x 128 in [0, 1], trust in the light there that is made of both.
 */
public class Body internal constructor(
    public val crop: Crop,
    public val person: Raster,
    public val normals: Raster,
    public val existing: Raster,
    public val trust: Raster,
    public val meeting: Raster,
    private val width: Int,
    internal val share: Raster,
    internal val onHead: Raster,
) {
    /** Where light on this body may fall. */
    internal val layer: Layer get() = Layer(crop, person, trust)

    /**
     * Key gain of a light's direction, for unit intensity and white light, of head and body.
     *
     * @param face the face's crop.
     * @param head the same light's gain there.
     * @param direction towards the light, crop's frame.
     */
    internal fun gain(face: Crop, head: Raster, direction: Vector): FaceGain {
        val gain = Raster(BODY_SIDE, BODY_SIDE, 3)
        val n = normals.data
        for (i in n.indices step 3) {
            val key = diffuse((n[i] * direction.x + n[i + 1] * direction.y + n[i + 2] * direction.z).toFloat())
            for (k in i until i + 3) gain.data[k] = key / existing.data[k]
        }
        val met = face.ontoCrop(head, crop, BODY_SIDE).weighted(meeting)
        val own = gain.weighted(meeting)
        // Near the head its level is followed place by place, further away on average.
        val (near, mine) = spread(met) to spread(own)
        val (least, most) = LEVEL
        for (c in 0 until 3) {
            val (wanted, made) = NEAR * (sum(met, c) + MEETING) to NEAR * (sum(own, c) + MEETING)
            for (k in c until gain.data.size step 3) {
                gain.data[k] *= ((near.data[k] + wanted) / (mine.data[k] + made)).coerceIn(least, most)
            }
        }
        val around = crop.ontoCrop(gain, face, head.rows).data
        val both = Raster(head.rows, head.columns, 3)
        for (k in around.indices) {
            both.data[k] = head.data[k] + share.data[k / 3] * (around[k] - head.data[k])
        }
        return FaceGain(both, gain)
    }

    private fun spread(values: Raster): Raster = blur(blur(values, width), width)
}

private fun sum(values: Raster, channel: Int): Float {
    var total = 0.0
    for (k in channel until values.data.size step 3) total += values.data[k]
    return total.toFloat()
}

/** Lambert's law with a soft terminator. */
private fun diffuse(cosine: Float): Float {
    val sharp = SHARPNESS * cosine
    return (max(sharp, 0f) + ln1p(exp(-abs(sharp)))) / SHARPNESS
}

/** What is known of the head when its body is looked at. */
internal class Head(val view: View, val normals: Normals, val environment: Environment)

/** A person on the head's crop, and their body, null where none is seen. */
internal class Whole(val person: Raster, val body: Body?)

/** Sees the person below a face; null where the photo shows none. */
internal fun lookBelow(perception: Perception, photo: Photo, face: Face): Look? {
    val crop = bodyCrop(face.crop, photo) ?: return null
    val seen = crop.extract(photo, SEEN_SIDE)
    val person = perception.person(seen)
    require(person.rows == SEEN_SIDE && person.columns == SEEN_SIDE && person.channels == 1) {
        "a person's outline is as large as the picture it was found in"
    }
    return Look(crop, seen.toRaster(), withinPhoto(person.map { it.coerceIn(0f, 1f) }, crop, photo))
}

/**
 * A person and their body.
 *
 * @param seen the square around the body and what is seen there, if there is one; where the face is not
 *   seen, it tells nothing.
 */
internal fun bodyOf(seen: Look?, face: Crop, head: Head): Whole {
    val view = head.view
    if (seen == null || isBlind(seen, face, view)) return Whole(settled(view.finePhoto, view.outline), null)
    val crop = seen.crop
    val (onHead, person) = silhouette(Look(face, view.finePhoto, view.outline), seen)
    val small = shrink(person, SEEN_SIDE / BODY_SIDE)
    val height = face.size / CROP_SCALE / crop.size * BODY_SIDE
    val (outside, inside) = INSIDE
    val surface = inflated(small.map { smoothstep(it, outside, inside) }, ROUND * height)
    val trust = Raster(TRUST_SIDE, TRUST_SIDE, 1)
    val (all, nothing) = LIT
    eachAroundFace(face, crop, TRUST_SIDE) { i, right, below ->
        trust.data[i] = 1 - smoothstep(hypot(right, below).toFloat(), all, nothing)
    }
    val meeting = small.zip(face.ontoCrop(head.normals.confidence, crop, BODY_SIDE, 0f)) { a, b -> a * b }
    val (chin, chest) = NECK
    eachAroundFace(face, crop, BODY_SIDE) { i, _, below ->
        meeting.data[i] *= smoothstep(below.toFloat(), chin, chest)
    }
    val existing = existingLight(surface, head)
    val width = 2 * round(SPREAD * height / 2).toInt() + 1
    val known = head.normals.confidence.zip(view.innerFace, ::max)
    val lent = crop.ontoCrop(trust, face, known.rows)
    eachAroundFace(face, face, known.rows) { i, _, below ->
        lent.data[i] *= (1 - known.data[i]) * smoothstep(below.toFloat(), chin, chest)
    }
    val both = known.zip(lent) { a, b -> a + b }
    val share = lent.zip(both) { part, whole -> part / max(whole, UNKNOWN) }
    return Whole(onHead, Body(crop, person, surface, existing, trust, meeting, width, share, both))
}

/** Whether the face is not seen on the square around the body. */
private fun isBlind(seen: Look, face: Crop, view: View): Boolean {
    val onFace = face.ontoCrop(view.face, seen.crop, BODY_SIDE, 0f)
    val known = shrink(seen.person, SEEN_SIDE / BODY_SIDE).zip(onFace) { a, b -> a * b }
    return known.data.sumOf { it.toDouble() } < BLIND * onFace.data.sumOf { it.toDouble() }
}

/**
 * Normals of a surface blown up inside an outline: its height is the root of a solution of Poisson's
 * equation, screened.
 *
 * @param person 1 inside, 0 outside; as wide as the last of [LEVELS].
 * @param radius pixels from the outline within which the surface turns towards the camera.
 */
private fun inflated(person: Raster, radius: Double): Raster {
    var height = Raster(LEVELS[0], LEVELS[0], 1)
    for (side in LEVELS) {
        height = resizeLinear(height, side, side)
        val scaled = radius * side / person.rows
        val pull = (1 / (1 + 4 * scaled * scaled)).toFloat()
        val inside = shrink(person, person.rows / side).data
        repeat(STEPS) { height = Raster(side, side, 1, relaxed(height.data, inside, pull, side)) }
    }
    val side = height.rows
    val data = height.data
    val result = Raster(side, side, 3)
    for (i in data.indices) {
        val steep = (DEPTH * radius).toFloat() / sqrt(2 * max(data[i], TIED))
        result.data[i * 3] = -slope(data, i, i % side, 1, side) * steep
        result.data[i * 3 + 1] = slope(data, i, i / side, side, side) * steep + UPWARDS
        result.data[i * 3 + 2] = 1f
    }
    normalize(result.data)
    return result
}

/** One step: each height is drawn to the mean of its neighbours, and up. */
private fun relaxed(height: FloatArray, inside: FloatArray, pull: Float, side: Int): FloatArray {
    val result = FloatArray(height.size)
    for (y in 0 until side) {
        val up = if (y > 0) side else 0
        val down = if (y < side - 1) side else 0
        for (x in 0 until side) {
            val i = y * side + x
            val beside = height[if (x > 0) i - 1 else i] + height[if (x < side - 1) i + 1 else i]
            val mean = (beside + height[i - up] + height[i + down]) / 4
            result[i] = inside[i] * (mean * (1 - pull) + pull)
        }
    }
    return result
}

/** How fast numbers grow along a line of so many, on which the one at [i] has a place. */
private fun slope(data: FloatArray, i: Int, place: Int, stride: Int, count: Int): Float {
    val low = if (place > 0) i - stride else i
    val high = if (place < count - 1) i + stride else i
    return (data[high] - data[low]) / ((high - low) / stride)
}

/** The light already there on a surface, over its mean on the face. */
private fun existingLight(surface: Raster, head: Head): Raster {
    val face = head.view.face.data
    val known = head.normals.vectors.weighted(head.view.person).data
    val both = Raster((known.size + surface.data.size) / 3, 1, 3, known + surface.data)
    val mask = Raster(both.rows, 1, 1, face.copyOf(both.rows))
    val lit = shading(head.environment, both, mask)
    val believed = belief(lit, mask)
    val grey = isGrey(head.view.photo) // then it stays so
    val light = FloatArray(lit.data.size) {
        val at = it - it % 3
        exp(believed * if (grey) (lit.data[at] + lit.data[at + 1] + lit.data[at + 2]) / 3 else lit.data[it])
    }
    var total = 0.0
    var count = 0
    for (i in face.indices) {
        if (face[i] == 0f) continue
        total += light[i * 3].toDouble() + light[i * 3 + 1] + light[i * 3 + 2]
        count += 3
    }
    val mean = if (count > 0) (total / count).toFloat() else 1f
    val (darkest, lightest) = SHADED
    return Raster(surface.rows, surface.columns, 3, FloatArray(surface.data.size) {
        (light[known.size + it] / mean).coerceIn(darkest, lightest)
    })
}

/** Visits a square's pixels: how far right of and below a face's middle each is, in the face's heights. */
private inline fun eachAroundFace(face: Crop, crop: Crop, side: Int, visit: (Int, Double, Double) -> Unit) {
    val middle = face.shares(crop.x, crop.y)
    val share = crop.size / face.size
    for (i in 0 until side * side) {
        val right = ((i % side + 0.5) / side - 0.5) * share + middle.x - 0.5
        val below = ((i / side + 0.5) / side - 0.5) * share + middle.y - 0.5
        visit(i, CROP_SCALE * right, CROP_SCALE * below)
    }
}

/** Values on a square, those beyond the photo's border replaced by the nearest within. */
private fun withinPhoto(values: Raster, crop: Crop, photo: Photo): Raster {
    val side = values.rows
    val data = values.data
    val (right, bottom) = photo.width - 0.5 to photo.height - 0.5
    val ontoPhoto = crop.toPhoto(side)
    val back = ontoPhoto.inverse()
    return Raster(side, side, 1, FloatArray(side * side) {
        val x = ontoPhoto.x(it % side + 0.5, it / side + 0.5)
        val y = ontoPhoto.y(it % side + 0.5, it / side + 0.5)
        if (x in 0.5..right && y in 0.5..bottom) return@FloatArray data[it]
        val nearestX = x.coerceIn(0.5, right)
        val nearestY = y.coerceIn(0.5, bottom)
        val a = back.x(nearestX, nearestY) - 0.5
        val b = back.y(nearestX, nearestY) - 0.5
        val left = floor(a)
        val top = floor(b)
        val across = (a - left).toFloat()
        val near = left.toInt().coerceIn(0, side - 1)
        val far = (left.toInt() + 1).coerceIn(0, side - 1)
        val above = top.toInt().coerceIn(0, side - 1) * side
        val below = (top.toInt() + 1).coerceIn(0, side - 1) * side
        val upper = data[above + near] + (data[above + far] - data[above + near]) * across
        val lower = data[below + near] + (data[below + far] - data[below + near]) * across
        upper + (lower - upper) * (b - top).toFloat()
    })
}
