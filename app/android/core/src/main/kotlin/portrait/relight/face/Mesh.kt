// SPDX-License-Identifier: Apache-2.0
/** The face mesh: its mean shape, its triangles, and drawing its normals and its depth. */
package portrait.relight

import kotlin.math.abs
import kotlin.math.max
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.float
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import portrait.relight.Constants.Mesh.COVERED
import portrait.relight.Constants.Mesh.FLAT
import portrait.relight.Constants.Mesh.POINTS
import portrait.relight.Constants.Mesh.SAMPLES
import portrait.relight.Constants.Mesh.TEMPLATE_SHARE

/**
 * The mean face that landmarks are fitted to.
 *
 * @property verticesCm 468 triples, head frame (+z out of the nose, +y up, +x to the subject's left).
 * @property triangles 898 triples of indices, counter-clockwise seen from outside.
 * @property loops landmark indices around `oval`, `lips`, `mouth`, `left_eye`, `right_eye`,
 *   `left_eyebrow`, `right_eyebrow`, `left_cheek` and `right_cheek`; sides are the subject's.
 */
public class FaceTemplate private constructor(
    public val verticesCm: FloatArray,
    public val triangles: IntArray,
    public val loops: Map<String, IntArray>,
    internal val logAlbedo: FloatArray,
) {
    internal val normals: FloatArray by lazy { vertexNormals(verticesCm, triangles) }

    /** Mean of the vertices. */
    internal val centre: Vector by lazy {
        (0 until POINTS).map { vertex(it) }.reduce { sum, v -> sum + v } * (1.0 / POINTS)
    }

    internal fun vertex(index: Int): Vector = Vector(
        verticesCm[index * 3].toDouble(),
        verticesCm[index * 3 + 1].toDouble(),
        verticesCm[index * 3 + 2].toDouble(),
    )

    public companion object {
        /** The template that comes with the library. */
        public val instance: FaceTemplate by lazy(::load)

        private fun load(): FaceTemplate {
            val stream = checkNotNull(FaceTemplate::class.java.getResourceAsStream("/portrait/relight/face_template.json")) {
                "face_template.json is missing from the library"
            }
            val text = stream.use { it.readBytes().decodeToString() }
            val root = Json.parseToJsonElement(text).jsonObject
            fun flat(name: String): List<JsonElement> = root.getValue(name).jsonArray.flatMap { it.jsonArray }
            val vertices = flat("vertices_cm")
            val triangles = flat("triangles")
            val loops = root.getValue("loops").jsonObject.mapValues { (_, loop) ->
                loop.jsonArray.map { it.jsonPrimitive.int }.toIntArray()
            }
            return FaceTemplate(
                FloatArray(vertices.size) { vertices[it].jsonPrimitive.float },
                IntArray(triangles.size) { triangles[it].jsonPrimitive.int },
                loops,
                root.getValue("log_albedo").jsonArray.map { it.jsonPrimitive.float }.toFloatArray(),
            )
        }
    }
}

/** Area-weighted unit normals of a mesh, triples; triangles are counter-clockwise outside. */
internal fun vertexNormals(vertices: FloatArray, triangles: IntArray): FloatArray {
    fun point(i: Int) =
        Vector(vertices[i * 3].toDouble(), vertices[i * 3 + 1].toDouble(), vertices[i * 3 + 2].toDouble())

    val total = DoubleArray(vertices.size)
    for (t in triangles.indices step 3) {
        val a = point(triangles[t])
        val face = (point(triangles[t + 1]) - a).cross(point(triangles[t + 2]) - a)
        for (k in 0 until 3) {
            val at = triangles[t + k] * 3
            total[at] += face.x
            total[at + 1] += face.y
            total[at + 2] += face.z
        }
    }
    return FloatArray(total.size) { total[it].toFloat() }.also(::normalize)
}

/**
 * Draws the face mesh, interpolating values between its vertices.
 *
 * @param points triples, in pixels of the drawing: x right, y down, pixel (i, j) covers
 *   [j, j + 1) x [i, i + 1); z smaller is nearer.
 * @param attributes values at the vertices, channels interleaved.
 * @param side of the square drawing.
 * @return those channels, 0 outside the mesh, and the mask of the mesh, 0 or 1. The nearest triangle
 *   wins; those facing away are left out.
 */
internal fun rasterize(points: FloatArray, attributes: FloatArray, side: Int): Pair<Raster, Raster> {
    val triangles = FaceTemplate.instance.triangles
    val owner = IntArray(side * side) { -1 }
    val order = (0 until triangles.size / 3).filter { facing(points, triangles, it) }
        .sortedBy { t -> -(0 until 3).sumOf { points[triangles[t * 3 + it] * 3 + 2].toDouble() } }
    for (t in order) {
        val corners = List(3) {
            val at = triangles[t * 3 + it] * 3
            Corner.of(points[at], points[at + 1])
        }
        fillConvex(corners, side) { row, column -> owner[row * side + column] = t }
    }
    val channels = attributes.size / POINTS
    val drawn = Raster(side, side, channels)
    val mask = Raster(side, side, 1)
    for (i in owner.indices) {
        if (owner[i] < 0) continue
        mask.data[i] = 1f
        val t = owner[i] * 3
        val weights = barycentric(i % side + 0.5f, i / side + 0.5f, points, triangles, t)
        for (c in 0 until channels) {
            drawn.data[i * channels + c] =
                (0 until 3).sumOf { (weights[it] * attributes[triangles[t + it] * channels + c]).toDouble() }.toFloat()
        }
    }
    return drawn to mask
}

/** Whether a triangle is seen from its outside. */
private fun facing(points: FloatArray, triangles: IntArray, index: Int): Boolean {
    val (a, b, c) = List(3) { triangles[index * 3 + it] * 3 }
    val (ux, uy) = points[b] - points[a] to points[b + 1] - points[a + 1]
    val (vx, vy) = points[c] - points[a] to points[c + 1] - points[a + 1]
    return ux * vy - uy * vx < 0 // y points down here
}

/** Weights of a triangle's corners at a point, clipped to inside. */
private fun barycentric(x: Float, y: Float, points: FloatArray, triangles: IntArray, t: Int): FloatArray {
    val (a, b, c) = List(3) { triangles[t + it] * 3 }
    val (abx, aby) = points[b] - points[a] to points[b + 1] - points[a + 1]
    val (acx, acy) = points[c] - points[a] to points[c + 1] - points[a + 1]
    val (apx, apy) = x - points[a] to y - points[a + 1]
    val exact = abx * acy - aby * acx
    val area = if (abs(exact) < FLAT) -FLAT else exact
    val v = (apx * acy - apy * acx) / area
    val w = (abx * apy - aby * apx) / area
    val weights = floatArrayOf((1 - v - w).coerceIn(0f, 1f), v.coerceIn(0f, 1f), w.coerceIn(0f, 1f))
    val total = max(weights.sum(), FLAT)
    return FloatArray(3) { weights[it] / total }
}

/**
 * The face mesh drawn into a square.
 *
 * @property normals unit, camera frame, 0 outside.
 * @property depth position along the camera's axis in pixels of the drawing, larger nearer, about the
 *   mean of the mesh; 0 outside.
 * @property mask 1 on the face, else 0.
 */
public class Surface(public val normals: Raster, public val depth: Raster, public val mask: Raster)

/**
 * Draws the face mesh's normals and depth into a square.
 *
 * Face Mesh knows this face's expression but flattens its relief; the mean face, turned as this head
 * is, has true relief but no expression. Halfway between them lies closer to the truth than either.
 * A pixel is on the face if half of it is.
 *
 * @param landmarks triples in pixels of the drawing, z in the same scale, smaller nearer.
 * @param headPose rotation head to camera.
 */
internal fun surface(landmarks: FloatArray, headPose: Matrix, side: Int): Surface {
    val template = FaceTemplate.instance
    val camera = FloatArray(POINTS * 3) { if (it % 3 == 0) landmarks[it] else -landmarks[it] }
    val own = vertexNormals(camera, template.triangles)
    val depth = templateDepth(camera, headPose)
    val middle = (0 until POINTS).sumOf { camera[it * 3 + 2].toDouble() } / POINTS
    val mixed = FloatArray(POINTS * 4)
    fun mix(a: Float, b: Double): Float = a * (1 - TEMPLATE_SHARE) + b.toFloat() * TEMPLATE_SHARE
    for (i in 0 until POINTS) {
        val at = i * 3
        val mean = template.normals.let { n ->
            headPose * Vector(n[at].toDouble(), n[at + 1].toDouble(), n[at + 2].toDouble())
        }
        mixed[i * 4] = mix(own[at], mean.x)
        mixed[i * 4 + 1] = mix(own[at + 1], mean.y)
        mixed[i * 4 + 2] = mix(own[at + 2], mean.z)
        mixed[i * 4 + 3] = mix((camera[at + 2] - middle).toFloat(), depth[i])
    }
    val (fine, covered) =
        rasterize(FloatArray(landmarks.size) { landmarks[it] * SAMPLES }, mixed, side * SAMPLES)
    val directions = Raster(fine.rows, fine.columns, 3, FloatArray(fine.rows * fine.columns * 3) {
        fine.data[it / 3 * 4 + it % 3]
    })
    normalize(directions.data)
    val share = shrink(covered, SAMPLES)
    val mask = share.map { if (it >= COVERED) 1f else 0f }
    val drawn = shrink(directions, SAMPLES)
    normalize(drawn.data)
    val heights = Raster(fine.rows, fine.columns, 1, FloatArray(fine.rows * fine.columns) { fine.data[it * 4 + 3] })
    val near = shrink(heights, SAMPLES).zip(share) { value, part -> value / max(part, COVERED) }
    return Surface(drawn.weighted(mask), near.zip(mask) { value, inside -> value * inside }, mask)
}

/** Depth of the mean face's points, turned, as large as the landmarks in camera frame show it. */
private fun templateDepth(camera: FloatArray, headPose: Matrix): DoubleArray {
    val template = FaceTemplate.instance
    val centre = headPose * template.centre
    val posed = List(POINTS) { headPose * template.vertex(it) - centre }
    var cross = 0.0
    var own = 0.0
    for (i in 0 until POINTS) {
        // The points' mean is 0: the landmarks' need not be taken off.
        cross += posed[i].x * camera[i * 3] + posed[i].y * camera[i * 3 + 1]
        own += posed[i].x * posed[i].x + posed[i].y * posed[i].y
    }
    return DoubleArray(POINTS) { posed[it].z * cross / own }
}

/** Mask, 0 or 1, of the polygons of some of the template's loops; landmarks as above. */
internal fun region(landmarks: FloatArray, names: List<String>, side: Int): Raster {
    val mask = Raster(side, side, 1)
    for (name in names) {
        val corners = FaceTemplate.instance.loops.getValue(name).map {
            Corner.of(landmarks[it * 3], landmarks[it * 3 + 1])
        }
        fillRegion(corners, side) { row, column -> mask.data[row * side + column] = 1f }
    }
    return mask
}
