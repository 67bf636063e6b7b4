// SPDX-License-Identifier: Apache-2.0
/** The skin of both cheeks, on which key and fill are measured: not the hair or glasses over it. */
package portrait.relight

import kotlin.math.log2
import kotlin.math.max
import kotlin.math.min
import portrait.relight.Constants.Analysis.SKIN
import portrait.relight.Constants.Cheek.CHEEK
import portrait.relight.Constants.Cheek.DARKER_STOPS
import portrait.relight.Constants.Cheek.DARKEST
import portrait.relight.Constants.Cheek.DEEP
import portrait.relight.Constants.Cheek.FIRMNESS
import portrait.relight.Constants.Cheek.LEAST_SKIN
import portrait.relight.Constants.Cheek.QUARTER
import portrait.relight.Constants.Cheek.REDDER_STOPS
import portrait.relight.Constants.Cheek.ROUNDS
import portrait.relight.Constants.Cheek.STRAND
import portrait.relight.Constants.Mesh.POINTS

/**
 * Where the cheeks lie on a crop: 1, else 0.
 *
 * @property left turned to image left as the head stands upright.
 */
internal class Cheeks(val left: Raster, val right: Raster) {
    /** Luminance of both on a picture of the crop in linear light. */
    fun brightness(linear: Raster): Pair<Double, Double> {
        val shown = linear.brightness()
        return middle(shown.within(left)) to middle(shown.within(right))
    }

    /** Key-to-fill: the brighter over the darker, >= 1. */
    fun ratio(linear: Raster): Double = brightness(linear).let { (a, b) -> max(a, b) / min(a, b) }
}

/** The skin nearest to the flat of both cheeks; further in where one is turned away or covered. */
internal fun cheeks(view: View): Cheeks {
    val skin = bare(view)
    val places = skin.data.indices.filter { skin.data[it] > 0 }
    fun mean(points: Iterable<Int>, axis: Int) = points.map { view.landmarks[it * 3 + axis].toDouble() }.average()
    val level = mean(0 until POINTS, 2)
    val (left, right) = listOf("right_cheek", "left_cheek").map { name ->
        val loop = FaceTemplate.instance.loops.getValue(name).asIterable()
        val (x, y, z) = List(3) { mean(loop, it) }
        fun away(place: Int): Double {
            val across = place % skin.columns + 0.5 - x
            val down = place / skin.columns + 0.5 - y
            val deeper = view.mesh.depth.data[place] - level + z
            return across * across + down * down + deeper * deeper
        }
        val found = Raster(skin.rows, skin.columns, 1)
        places.map { away(it) to it }.sortedBy { it.first }.take(CHEEK).forEach { found.data[it.second] = 1f }
        found
    }
    return Cheeks(left, right)
}

/**
 * Plain skin with nothing over it: 1, else 0; the face where none is known.
 *
 * Its light is fitted as a logarithm that changes with the normal, along x on each side apart. What is
 * darker or redder than that is left out, and the light is fitted again.
 */
internal fun bare(view: View): Raster {
    val places = view.skin.data.indices.filter { view.skin.data[it] > SKIN }
    if (places.isEmpty()) return view.face
    val normals = view.mesh.normals.data
    val told = places.map {
        val (x, y, z) = List(3) { axis -> normals[it * 3 + axis].toDouble() }
        doubleArrayOf(1.0, max(x, 0.0), max(-x, 0.0), y, z)
    }
    val seen = places.map {
        val color = DoubleArray(3) { c -> max(view.linear.data[it * 3 + c].toDouble(), DEEP) }
        val bright = (0 until 3).sumOf { c -> color[c] * LUMINANCE[c] }
        doubleArrayOf(log2(bright), log2(color[0] / color[1]))
    }
    var kept = BooleanArray(places.size) { true }
    for (round in 0 until ROUNDS) {
        val lights = List(2) { part -> fitted(told, seen, kept, part) }
        fun beyond(k: Int, part: Int) = seen[k][part] - told[k].indices.sumOf { told[k][it] * lights[part][it] }
        val still = BooleanArray(places.size) { beyond(it, 0) > -DARKER_STOPS && beyond(it, 1) < REDDER_STOPS }
        if (still.none { it }) break
        kept = still
    }
    for (side in places.indices.partition { normals[places[it] * 3] < 0 }.toList()) {
        if (side.count { kept[it] } < LEAST_SKIN * side.size) side.forEach { kept[it] = true }
    }
    val clear = view.face.map { if (it > 0) 1f else 0f }
    val found = Raster(clear.rows, clear.columns, 1)
    places.forEachIndexed { k, place -> if (kept[k]) found.data[place] = 1f else clear.data[place] = 0f }
    // Strands of hair may be as bright as skin; what is no plain skin, an eye say, divides none.
    val inner = found.weighted(dilate(erode(clear, STRAND), STRAND))
    return if (inner.data.any { it > 0 }) inner else found
}

/** Coefficients of the light that comes closest to one part of what is seen of the pixels kept. */
private fun fitted(told: List<DoubleArray>, seen: List<DoubleArray>, kept: BooleanArray, part: Int): DoubleArray {
    val count = told[0].size
    val squares = Array(count) { DoubleArray(count) }
    val products = DoubleArray(count)
    for ((k, row) in told.withIndex()) {
        if (!kept[k]) continue
        for (i in 0 until count) {
            products[i] += row[i] * seen[k][part]
            for (j in 0 until count) squares[i][j] += row[i] * row[j]
        }
    }
    val pixels = kept.count { it }
    for (i in 0 until count) squares[i][i] += if (i == 0) 1.0 else FIRMNESS * pixels
    return checkNotNull(solve(squares, products)) { "squares and more are not singular" }
}

/** Mean of the values without the darkest and brightest quarters; at least [DARKEST]. */
internal fun middle(values: FloatArray): Double {
    val out = values.size / QUARTER
    val inner = values.sortedArray().copyOfRange(out, values.size - out)
    return if (inner.isEmpty()) DARKEST else max(inner.average(), DARKEST)
}

/** Luminance of linear light of three channels. */
internal fun Raster.brightness(): Raster = Raster(rows, columns, 1, FloatArray(rows * columns) {
    luminance(data[it * 3], data[it * 3 + 1], data[it * 3 + 2])
})

/** The numbers of one channel where a mask is not 0, row by row. */
internal fun Raster.within(mask: Raster): FloatArray {
    val found = FloatArray(mask.data.count { it > 0 })
    var n = 0
    for (i in data.indices) if (mask.data[i] > 0) found[n++] = data[i]
    return found
}
