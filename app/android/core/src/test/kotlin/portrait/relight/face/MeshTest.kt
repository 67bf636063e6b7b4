// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlin.math.abs
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import portrait.relight.Constants.Landmark.LANDMARKS
import portrait.relight.Constants.Mesh.POINTS
import portrait.relight.Constants.View.FEATURES
import portrait.relight.Constants.View.SIDE

class MeshTest {
    private val drawing = Golden.face.cropLandmarks(SIDE)

    @Test
    fun `landmarks lie on the crop`() {
        assertGolden("mesh/crop_landmarks", drawing, 1e-4f)
    }

    @Test
    fun `normals of the landmarks' own mesh`() {
        val camera = FloatArray(POINTS * 3) { if (it % 3 == 0) drawing[it] else -drawing[it] }
        assertGolden("mesh/vertex_normals", vertexNormals(camera, FaceTemplate.instance.triangles), 1e-4f)
    }

    @Test
    fun `the mesh is drawn`() {
        val drawn = surface(drawing, Golden.face.cropPose, 64)
        assertGolden("mesh/mask", drawn.mask.data, 0f)
        assertGolden("mesh/normals", drawn.normals.data, 0.05f, 2e-5f)
        assertGolden("mesh/depth", drawn.depth.data, 0.5f, 3e-4f)
    }

    @Test
    fun `eyes, brows and lips are drawn`() {
        assertGolden("mesh/region", region(drawing, FEATURES, SIDE).data, 0f)
    }

    @Test
    fun `poses are those of OpenCV's perspective-n-point`() {
        val (height, width) = Golden.value("mesh/shape").numbers().map { it.toInt() }
        for ((i, expected) in Golden.value("mesh/poses").jsonArray.withIndex()) {
            val surface = Golden.floats("mesh/posed/$i")
            val irises = surface.copyOf((LANDMARKS - POINTS) * 3) // they are not fitted to
            val face = Face.fromLandmarks(surface + irises, height, width)
            assertPose(expected.jsonObject.getValue("head_from_cam").jsonArray.flatMap { it.numbers() }, face)
            val pose = expected.jsonObject.matrix("head_pose")
            for (k in 0 until 9) assertEquals(pose.m[k], face.headPose.m[k], 2e-4, "pose $i")
            assertCrop(expected.jsonObject.getValue("crop").toCrop(), face.crop)
            val (yaw, pitch, roll) = expected.jsonObject.getValue("angles_deg").numbers()
            val found = headAngles(face.headPose)
            assertEquals(yaw, found.yawDeg, 0.02)
            assertEquals(pitch, found.pitchDeg, 0.02)
            assertEquals(roll, found.rollDeg, 0.02)
        }
    }

    @Test
    fun `the example's face`() {
        val face = Golden.face
        assertCrop(Golden.value("face/crop").toCrop(), face.crop)
        for ((k, side) in Golden.value("face/box").numbers().withIndex()) assertEquals(side, face.box[k].toDouble(), 1e-3)
        assertPose(Golden.value("face/head_from_cam").jsonArray.flatMap { it.numbers() }, face)
        for ((name, found) in listOf("head_pose" to face.headPose, "crop_pose" to face.cropPose)) {
            val pose = Golden.value("face/$name").toMatrix()
            for (k in 0 until 9) assertEquals(pose.m[k], found.m[k], 2e-4, name)
        }
    }

    @Test
    fun `a wrong count of landmarks is refused`() {
        assertThrows<IllegalArgumentException> { Face.fromLandmarks(FloatArray(468 * 3), 100, 100) }
    }

    private fun assertPose(expected: List<Double>, face: Face) {
        val found = face.headFromCam
        for (k in expected.indices) {
            val tolerance = if (k % 4 == 3) 2e-3 * maxOf(10.0, abs(expected[k])) else 2e-4
            assertEquals(expected[k], found[k], tolerance, "head_from_cam[$k]")
        }
    }
}
