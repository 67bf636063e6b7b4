// SPDX-License-Identifier: Apache-2.0
/**
 * MediaPipe's face detectors: single shots over a grid of anchors, overlapping ones averaged.
 *
 * Reference: Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs".
 */
package portrait.relight

import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min
import portrait.relight.Constants.Detector.CONFIDENCE
import portrait.relight.Constants.Detector.KEY_POINTS
import portrait.relight.Constants.Detector.SAME_FACE

/**
 * How a detector's outputs lie on its input.
 *
 * @property model its name in the manifest.
 * @property input name of its input.
 * @property boxes name of its output of boxes and key points.
 * @property scores name of its output of scores.
 * @property side of its input, pixels.
 * @property grids cells a side, and anchors a cell, of each grid.
 */
internal class Layout(
    val model: String,
    val input: String,
    val boxes: String,
    val scores: String,
    val side: Int,
    val grids: List<List<Int>>,
) {
    /** Middles of the cells in [0, 1], as often as each has anchors. */
    val anchors: List<Point> by lazy {
        grids.flatMap { (count, repeated) ->
            List(count * count * repeated) {
                val cell = it / repeated
                Point((cell % count + 0.5) / count, (cell / count + 0.5) / count)
            }
        }
    }

    companion object {
        /** Full range: faces down to 7 % of the frame's width. */
        val FULL: Layout = Constants.Detector.Full.run { Layout(MODEL, INPUT, BOXES, SCORES, SIDE, GRIDS) }

        /** Short range: faces that fill the frame. */
        val SHORT: Layout = Constants.Detector.Short.run { Layout(MODEL, INPUT, BOXES, SCORES, SIDE, GRIDS) }
    }
}

/**
 * A face as a detector sees it.
 *
 * @property middle of its box, pixels of the photo.
 * @property width of its box along the region's x axis, pixels of the photo.
 * @property height of its box across it.
 * @property points the subject's right eye, left eye, nose tip, mouth, right and left ear, in the photo.
 * @property score certainty in [0, 1].
 */
internal class Detection(
    val middle: Point,
    val width: Double,
    val height: Double,
    val points: List<Point>,
    val score: Double,
) {
    /** Left, top, width, height in pixels of the photo, as if the region were upright. */
    val box: FloatArray
        get() = floatArrayOf(
            (middle.x - width / 2).toFloat(),
            (middle.y - height / 2).toFloat(),
            width.toFloat(),
            height.toFloat(),
        )
}

/**
 * Faces in a region of a photo, the most certain first.
 *
 * @param tones changes what the network sees.
 * @param repeat whether the photo's edge repeats outside it; else it is black there.
 */
internal fun detect(
    models: Models,
    layout: Layout,
    photo: Pyramid,
    region: Region,
    tones: Tones? = null,
    repeat: Boolean = false,
): List<Detection> {
    val seen = photo.sample(region, layout.side, repeat)?.let { tones?.invoke(it) ?: it } ?: return emptyList()
    val input = FloatArray(seen.size) { seen[it] / 127.5f - 1 }
    val found = models.run(layout.model, mapOf(layout.input to input))
    val (boxes, scores) = found.getValue(layout.boxes) to found.getValue(layout.scores)
    val width = 2 * (2 + KEY_POINTS)
    val candidates = layout.anchors.mapIndexedNotNull { i, anchor ->
        val score = sigmoid(scores[i])
        if (score < CONFIDENCE) return@mapIndexedNotNull null
        val values = DoubleArray(width) { k ->
            val moved = if (k == 2 || k == 3) 0.0 else if (k % 2 == 0) anchor.x else anchor.y
            boxes[i * width + k].toDouble() / layout.side + moved
        }
        Candidate(values, score)
    }
    return merged(candidates).map { (values, score) ->
        Detection(
            region.toPhoto(values[0], values[1]),
            values[2] * region.side,
            values[3] * region.side,
            List(KEY_POINTS) { region.toPhoto(values[4 + 2 * it], values[5 + 2 * it]) },
            score,
        )
    }
}

/** Middle, size and key points in parts of a region's side, and the score. */
internal data class Candidate(val values: DoubleArray, val score: Double) {
    /** Area shared with another box, over that of both. */
    fun union(other: Candidate): Double {
        val shared = overlap(other, 0) * overlap(other, 1)
        return shared / (values[2] * values[3] + other.values[2] * other.values[3] - shared)
    }

    private fun overlap(other: Candidate, axis: Int): Double {
        val (own, far) = values[2 + axis] / 2 to other.values[2 + axis] / 2
        val high = min(values[axis] + own, other.values[axis] + far)
        return max(high - max(values[axis] - own, other.values[axis] - far), 0.0)
    }
}

/** Detections of one face averaged by their scores, each with its largest score, the most certain first. */
internal fun merged(candidates: List<Candidate>): List<Candidate> {
    var rest = candidates.sortedByDescending { it.score }
    val result = ArrayList<Candidate>()
    while (rest.isNotEmpty()) {
        val best = rest[0]
        val (same, others) = rest.partition { it === best || best.union(it) > SAME_FACE }
        val total = same.sumOf { it.score }
        val mean = DoubleArray(best.values.size) { k -> same.sumOf { it.values[k] * it.score } / total }
        result += Candidate(mean, best.score)
        rest = others
    }
    return result
}

/** A network's logit as a probability. */
internal fun sigmoid(logit: Float): Double = 1 / (1 + exp(-logit.toDouble().coerceIn(-100.0, 100.0)))
