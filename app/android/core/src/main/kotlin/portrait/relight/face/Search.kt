// SPDX-License-Identifier: Apache-2.0
/** Finding all faces of a photo: upright or not, small, dark, or filling the frame. */
package portrait.relight

import kotlin.math.PI
import kotlin.math.hypot
import kotlin.math.max
import kotlin.math.min
import portrait.relight.Constants.Search.ALONE
import portrait.relight.Constants.Search.ASTRAY
import portrait.relight.Constants.Search.FAR
import portrait.relight.Constants.Search.KEY_LANDMARKS
import portrait.relight.Constants.Search.LEAST_OVERLAP
import portrait.relight.Constants.Search.LOOKS
import portrait.relight.Constants.Search.NEAR
import portrait.relight.Constants.Search.PRESENT
import portrait.relight.Constants.Search.SAME
import portrait.relight.Constants.Search.SEEN
import portrait.relight.Constants.Search.SIZES
import portrait.relight.Constants.Search.SMALLEST_FACE
import portrait.relight.Constants.Search.STILL
import portrait.relight.Constants.Search.SURE
import portrait.relight.Constants.Search.TILES
import portrait.relight.Constants.Search.TILE_BELOW
import portrait.relight.Constants.Search.TILE_OVERLAP
import portrait.relight.Constants.Search.WIDER

/**
 * One way to look for faces.
 *
 * @property repeat whether the photo's edge repeats outside the region; else it is black there.
 */
private class Glance(
    val layout: Layout,
    val region: Region,
    val tones: Tones? = null,
    val repeat: Boolean = false,
)

/** All faces of a photo that are large enough, largest first; an empty list when there is none. */
internal fun find(models: Models, photo: Photo): List<Face> =
    if (min(photo.height, photo.width) < SMALLEST_FACE) emptyList() else Search(models, Pyramid(photo)).find()

private class Search(private val models: Models, private val photo: Pyramid) {
    private val faces = ArrayList<Face>()

    fun find(): List<Face> {
        for (glances in searches()) if (faces.isEmpty()) look(glances())
        val widest = faces.maxOfOrNull { it.box[2] } ?: 0f
        val enough = (if (faces.size == 1) ALONE else TILE_BELOW) * max(photo.height, photo.width)
        if (widest <= enough) TILES.firstOrNull { look(tiles(it)) }
        return faces.sortedByDescending { it.size }
    }

    /** Ways to look at the whole photo, each for photos in which those before found no face. */
    private fun searches(): List<() -> List<Glance>> {
        val frame = Region.whole(photo)
        fun close(tones: Tones?) = listOf(
            Glance(Layout.SHORT, frame, tones),
            Glance(Layout.SHORT, Region(frame.x, frame.y, WIDER * frame.side), tones, repeat = true),
        )
        return listOf(
            { listOf(Glance(Layout.FULL, frame)) },
            { close(null) },
            { listOf(Glance(Layout.FULL, frame, ::brightened)) + close(::brightened) },
        ) + QUARTERS.map { quarters -> // detectors hardly see a face that lies or hangs
            { listOf(Layout.FULL, Layout.SHORT).map { Glance(it, Region.whole(photo, quarters * PI / 2)) } }
        }
    }

    /** Overlapping parts of the photo, each larger in the detector's view than in the whole. */
    private fun tiles(count: Int): List<Glance> {
        val (height, width) = TILE_OVERLAP * photo.height / count to TILE_OVERLAP * photo.width / count
        fun middles(side: Double, whole: Int) = List(count) { side / 2 + (whole - side) * it / (count - 1) }
        return middles(height, photo.height).flatMap { y ->
            middles(width, photo.width).map { x -> Glance(Layout.FULL, Region(x, y, max(height, width))) }
        }
    }

    /** Adds the faces seen; whether a detector saw any, known or not. */
    private fun look(glances: List<Glance>): Boolean {
        val found = glances.flatMap { glance ->
            detect(models, glance.layout, photo, glance.region, glance.tones, glance.repeat).map { it to glance.tones }
        }
        for ((detection, tones) in found.sortedByDescending { it.first.score }) {
            val box = detection.box
            if (box[2] < SMALLEST_FACE || faces.any { overlap(box, it.box) > SEEN }) continue
            val fit = fitted(detection, tones) ?: continue
            val face = Face.fromLandmarks(fit.landmarks, photo.height, photo.width, fit.presence)
            if (face.box[2] >= SMALLEST_FACE && faces.all { overlap(face.box, it.box) < SAME }) faces += face
        }
        return found.isNotEmpty()
    }

    /** Landmarks of a detected face, or null if there is none after all. */
    private fun fitted(detection: Detection, tones: Tones?): Fit? {
        var best: Fit? = null
        for ((attempt, region) in regions(detection).withIndex()) {
            val first = untilStill(region)?.takeIf { it.presence >= PRESENT } ?: continue
            val (fit, strayed) = checked(first, tones)
            if (overlap(bounds(fit.landmarks), detection.box) <= LEAST_OVERLAP) continue
            // A cat's face, too, looks like a person's in one of many ways.
            if (strayed > if (attempt == 0 && fit.presence >= SURE) Double.POSITIVE_INFINITY else FAR) continue
            if (best == null || fit.presence > best.presence) best = fit
            if (best.presence >= SURE) break
        }
        return best
    }

    /**
     * A face seen by the detector once more, upright and from near, and set right if need be.
     *
     * @return the better fit, and how far it strays from the detector's key points, as a share of its
     *   size; infinite if the detector sees no face.
     */
    private fun checked(fit: Fit, tones: Tones?): Pair<Fit, Double> {
        val near = regionAgain(fit.landmarks).run { Region(x, y, NEAR * side, angle) }
        val detection = detect(models, Layout.SHORT, photo, near, tones, repeat = true)
            .minByOrNull { strayed(fit, it) } ?: return fit to Double.POSITIVE_INFINITY
        val strayed = strayed(fit, detection)
        if (strayed > ASTRAY) {
            val other = untilStill(regionOf(detection))
            if (other != null && other.presence >= min(fit.presence, SURE)) {
                val otherStrayed = strayed(other, detection)
                if (otherStrayed < strayed) return other to otherStrayed
            }
        }
        return fit to strayed
    }

    /** Where to look for a detected face: as its eyes lie, then otherwise. */
    private fun regions(detection: Detection): List<Region> {
        val first = regionOf(detection)
        return listOf(first) +
            SIZES.map { Region(first.x, first.y, it * first.side, first.angle) } +
            Region(first.x, first.y, first.side) +
            QUARTERS.map { Region(first.x, first.y, first.side, first.angle + it * PI / 2) }
    }

    /** Looks again and again where a face was seen: a mesh that moves was misplaced. */
    private fun untilStill(start: Region): Fit? {
        var region = start
        var best: Fit? = null
        var last: Fit? = null
        repeat(LOOKS) {
            val fit = fit(models, photo, region, ::lifted) ?: return best
            if (best.let { it == null || fit.presence >= min(it.presence, SURE) }) best = fit
            val moved = last?.let { distance(it.landmarks, fit.landmarks) } ?: Double.POSITIVE_INFINITY
            if (moved * Constants.Landmark.SIDE < STILL * region.side) return best
            last = fit
            region = regionAgain(fit.landmarks)
        }
        return best
    }

    private companion object {
        /** Quarters of a turn, the likeliest first. */
        val QUARTERS = listOf(2, 1, 3)
    }
}

/** Mean distance in the photo between two sets of landmarks. */
private fun distance(a: FloatArray, b: FloatArray): Double =
    a.indices.step(3).sumOf { hypot((a[it] - b[it]).toDouble(), (a[it + 1] - b[it + 1]).toDouble()) } / (a.size / 3)

/** Mean distance of eyes, nose and mouth from a detection's, over the landmarks' size. */
private fun strayed(fit: Fit, detection: Detection): Double {
    val apart = KEY_LANDMARKS.mapIndexed { i, group ->
        val (x, y) = List(2) { axis -> group.map { fit.landmarks[it * 3 + axis] }.average() }
        hypot(x - detection.points[i].x, y - detection.points[i].y)
    }
    val (_, _, width, height) = bounds(fit.landmarks).toList()
    return apart.average() / max(width, height)
}
