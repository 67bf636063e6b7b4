// SPDX-License-Identifier: Apache-2.0
/** Finding all faces of a photo: upright or not, small, dark, or filling the frame. */
package portrait.relight

import kotlin.math.PI
import kotlin.math.floor
import kotlin.math.hypot
import kotlin.math.ln
import kotlin.math.log2
import kotlin.math.max
import kotlin.math.min
import portrait.relight.Constants.Detector.CONFIDENCE
import portrait.relight.Constants.Search.ALONE
import portrait.relight.Constants.Search.ASTRAY
import portrait.relight.Constants.Search.CONFIRMED
import portrait.relight.Constants.Search.DETECTED
import portrait.relight.Constants.Search.FAR
import portrait.relight.Constants.Search.HOPELESS
import portrait.relight.Constants.Search.KEY_LANDMARKS
import portrait.relight.Constants.Search.LEAST_EVIDENCE
import portrait.relight.Constants.Search.LEAST_OVERLAP
import portrait.relight.Constants.Search.LEAST_TURNED
import portrait.relight.Constants.Search.LOOKS
import portrait.relight.Constants.Search.NEAR
import portrait.relight.Constants.Search.PRESENT
import portrait.relight.Constants.Search.SAME
import portrait.relight.Constants.Search.SEEN
import portrait.relight.Constants.Search.SETTLED
import portrait.relight.Constants.Search.SIZES
import portrait.relight.Constants.Search.SMALLEST_FACE
import portrait.relight.Constants.Search.STILL
import portrait.relight.Constants.Search.STRONG
import portrait.relight.Constants.Search.SURE
import portrait.relight.Constants.Search.TILES
import portrait.relight.Constants.Search.TILE_BELOW
import portrait.relight.Constants.Search.TILE_OVERLAP
import portrait.relight.Constants.Search.WIDER

/**
 * One way to look for faces.
 *
 * @property tones what is done to the picture's tones.
 * @property repeat whether the photo's edge repeats outside the region; else it is black there.
 * @property turned for heads that lie or hang: more evidence is asked for, and only one look closer.
 */
private class Glance(
    val layout: Layout,
    val region: Region,
    val tones: Tones? = null,
    val repeat: Boolean = false,
    val turned: Boolean = false,
)

/** A face, and the evidence that it is a person's. */
private class Seen(val face: Face, val evidence: Double)

/** All faces of a photo that are large enough, largest first; an empty list when there is none. */
internal fun find(models: Models, photo: Photo): List<Face> {
    if (min(photo.height, photo.width) < SMALLEST_FACE) return emptyList()
    val seen = Pyramid(photo)
    val small = floor(log2(max(photo.height, photo.width).toDouble() / Layout.FULL.side)).toInt()
    seen.mirrored = brighterLeft(seen.level(small.coerceIn(0, seen.finest)))
    val faces = Search(models, seen).find()
    if (!seen.mirrored) return faces
    return faces.map {
        val landmarks = mirroredLandmarks(it.landmarks, photo.width)
        Face.fromLandmarks(landmarks, photo.height, photo.width, it.presence)
    }
}

private class Search(private val models: Models, private val photo: Pyramid) {
    fun find(): List<Face> {
        var seen = ArrayList<Seen>()
        for (glances in upright()) if (seen.isEmpty()) look(glances, seen)
        for (glances in turned()) {
            // What looks a little like a face may be the chin of one that hangs.
            if (strongest(seen) >= STRONG) break
            val others = ArrayList<Seen>().also { look(glances, it) }
            if (strongest(others) > strongest(seen)) seen = others
        }
        val widest = seen.maxOfOrNull { it.face.box[2] } ?: 0f
        val enough = (if (seen.size == 1) ALONE else TILE_BELOW) * max(photo.height, photo.width)
        if (widest <= enough) TILES.firstOrNull { look(tiles(it), seen) }
        return seen.map { it.face }.sortedByDescending { it.size }
    }

    private fun strongest(seen: List<Seen>) = seen.maxOfOrNull { it.evidence } ?: Double.NEGATIVE_INFINITY

    /** Ways to look at the whole photo, each for photos in which those before found no face. */
    private fun upright(): List<List<Glance>> {
        val frame = Region.whole(photo)
        fun close(tones: Tones?) = listOf(
            Glance(Layout.SHORT, frame, tones),
            Glance(Layout.SHORT, Region(frame.x, frame.y, WIDER * frame.side), tones, repeat = true),
        )
        val bright = Glance(Layout.FULL, frame, ::brightened)
        return listOf(listOf(Glance(Layout.FULL, frame)), close(null), listOf(bright) + close(::brightened))
    }

    /** The same for faces that lie or hang, which detectors hardly see. */
    private fun turned(): List<List<Glance>> = QUARTERS.map { quarters ->
        val region = Region.whole(photo, quarters * PI / 2)
        listOf(Layout.FULL, Layout.SHORT).map { Glance(it, region, turned = true) }
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
    private fun look(glances: List<Glance>, known: MutableList<Seen>): Boolean {
        val found = glances.flatMap { glance ->
            detect(models, glance.layout, photo, glance.region, glance.tones, glance.repeat).map { it to glance }
        }
        for ((detection, glance) in found.sortedByDescending { it.first.score }) {
            val box = detection.box
            if (box[2] < SMALLEST_FACE || known.any { overlap(box, it.face.box) > SEEN }) continue
            val (fit, evidence) = fitted(detection, glance) ?: continue
            val face = Face.fromLandmarks(fit.landmarks, photo.height, photo.width, fit.presence)
            if (face.box[2] < SMALLEST_FACE || known.any { overlap(face.box, it.face.box) >= SAME }) continue
            known += Seen(face, evidence)
        }
        return found.isNotEmpty()
    }

    /** Landmarks of a detected person's face, if there is one after all, and the evidence of it. */
    private fun fitted(detection: Detection, glance: Glance): Pair<Fit, Double>? {
        var best: Fit? = null
        var most = if (glance.turned) LEAST_TURNED else LEAST_EVIDENCE
        for (region in regions(detection).take(if (glance.turned) 1 else Int.MAX_VALUE)) {
            val first = untilStill(region)?.takeIf { it.presence >= PRESENT } ?: continue
            val (fit, again) = checked(first, glance.tones)
            if (overlap(bounds(fit.landmarks), detection.box) <= LEAST_OVERLAP) continue
            // An animal's face, too, looks like a person's in one of many ways.
            val evidence = steady(fit) + CONFIRMED * again + DETECTED * (detection.score - CONFIDENCE)
            if (evidence >= most) {
                best = fit
                most = evidence
            }
            if (best != null && best.presence >= SURE) break
        }
        return best?.let { it to most }
    }

    /**
     * A face seen by the detector once more, upright and from near, and set right if need be.
     *
     * @return the better fit, and the detector's score; 0 if it sees no face there.
     */
    private fun checked(fit: Fit, tones: Tones?): Pair<Fit, Double> {
        val near = regionAgain(fit.landmarks).run { Region(x, y, NEAR * side, angle) }
        val detection = detect(models, Layout.SHORT, photo, near, tones, repeat = true)
            .minByOrNull { strayed(fit, it) } ?: return fit to 0.0
        var (best, least) = fit to strayed(fit, detection)
        if (least > ASTRAY) {
            val other = untilStill(regionOf(detection))?.takeIf { it.presence >= min(fit.presence, SURE) }
            if (other != null && strayed(other, detection) < least) {
                best = other
                least = strayed(other, detection)
            }
        }
        return best to if (least <= FAR) detection.score else 0.0
    }

    /** Logit of a face's presence, by one more look unless it is beyond doubt. */
    private fun steady(fit: Fit): Double {
        if (logit(fit.presence) >= SETTLED) return SETTLED
        val again = fit(models, photo, regionAgain(fit.landmarks), ::lifted)
        return again?.let { logit(it.presence) } ?: Double.NEGATIVE_INFINITY
    }

    private fun logit(presence: Double) = ln(presence / max(1 - presence, 1e-9))

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
            val hopeless = last.let { it != null && max(fit.presence, it.presence) < HOPELESS }
            if (hopeless || moved * Constants.Landmark.SIDE < STILL * region.side) return best
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
