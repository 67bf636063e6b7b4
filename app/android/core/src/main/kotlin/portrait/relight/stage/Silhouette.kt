// SPDX-License-Identifier: Apache-2.0
/**
 * Where a person ends: what two looks at them agree on, and for the rest what colours tell.
 *
 * Reference: He et al. 2013, "Guided Image Filtering"; a pixel counts here as far as it is certain.
 */
package portrait.relight

import kotlin.math.abs
import portrait.relight.Constants.Silhouette.AROUND
import portrait.relight.Constants.Silhouette.COLOR_EDGE
import portrait.relight.Constants.Silhouette.COLOR_SIDE
import portrait.relight.Constants.Silhouette.DOUBT
import portrait.relight.Constants.Silhouette.NEARER
import portrait.relight.Constants.Silhouette.SEEN_SIDE
import portrait.relight.Constants.Silhouette.UNSEEN
import portrait.relight.Constants.Silhouette.UNSURE

/**
 * What is seen of a person on a square.
 *
 * @property photo 256 x 256, sRGB in [0, 1].
 * @property person 256 x 256, probability in [0, 1] of a person.
 */
internal class Look(val crop: Crop, val photo: Raster, val person: Raster) {
    /** The same with another outline of the person. */
    fun outlined(other: Raster): Look = Look(crop, photo, other)
}

/** The person on the squares of a look around the head and one around the body, as both tell. */
internal fun silhouette(near: Look, wide: Look): Pair<Raster, Raster> {
    val fromWide = wide.crop.ontoCrop(wide.person, near.crop, SEEN_SIDE, 0.5f)
    val fromNear = near.crop.ontoCrop(near.person, wide.crop, SEEN_SIDE, 0.5f)
    return settled(near.photo, near.person.zip(fromWide, ::agreed)) to
        settled(wide.photo, fromNear.zip(wide.person, ::agreed))
}

/** The mean of two looks' probabilities, each weighed by its own certainty. */
private fun agreed(near: Float, wide: Float): Float {
    val weight = NEARER * certainty(near) * certainty(near) + UNSEEN
    val beside = certainty(wide) * certainty(wide) + UNSEEN
    return (near * weight + wide * beside) / (weight + beside)
}

private fun certainty(p: Float) = abs(2 * p - 1)

/** A person of whom nothing is in doubt that the colours of certain pixels around can tell. */
internal fun settled(photo: Raster, person: Raster): Raster {
    val (unsure, sure) = DOUBT
    val doubt = person.map { 1 - smoothstep(certainty(it), unsure, sure) }.data
    if (doubt.all { it == 0f }) return person
    val factor = person.rows / COLOR_SIDE
    val fitted = fit(shrink(photo, factor), shrink(person, factor))
    val told = Enlarged(fitted, person.rows, person.columns)
    val line = FloatArray(person.columns * 4)
    val (colors, known) = photo.data to person.data
    val result = FloatArray(known.size)
    for (row in 0 until person.rows) {
        told.row(row, line)
        for (column in 0 until person.columns) {
            val i = row * person.columns + column
            val (at, pixel) = column * 4 to i * 3
            val value = line[at] * colors[pixel] + line[at + 1] * colors[pixel + 1] +
                line[at + 2] * colors[pixel + 2] + line[at + 3]
            result[i] = known[i] + doubt[i] * (value.coerceIn(0f, 1f) - known[i])
        }
    }
    return Raster(person.rows, person.columns, 1, result)
}

/** Factors on red, green and blue and an offset that tell a person around. */
private fun fit(colors: Raster, person: Raster): Raster {
    val (rows, columns) = person.rows to person.columns
    val weight = person.map { p -> (certainty(p) * certainty(p)).let { it * it } + UNSURE }
    val moments = Raster(rows, columns, MOMENTS)
    for (i in person.data.indices) products(colors.data, person.data[i], i, moments.data)
    val total = mean(weight).data
    val means = mean(moments.weighted(weight)).data
    for (k in means.indices) means[k] /= total[k / MOMENTS]
    val found = Raster(rows, columns, 4)
    for (i in total.indices) {
        fitCell(means, i * MOMENTS, COLOR_EDGE, found.data, i * 4)
        for (k in i * 4 until i * 4 + 4) found.data[k] *= total[i]
    }
    return mean(found).weighted(mean(Raster(rows, columns, 1, total)).map { 1 / it })
}

private fun mean(values: Raster): Raster = blur(values, 2 * AROUND + 1)
