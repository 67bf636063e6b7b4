// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class BodyTest {
    private val body = checkNotNull(Golden.analysis.body)
    private val head = Head(
        Golden.view,
        Normals(Golden.analysis.cropNormals, Golden.analysis.cropConfidence),
        Golden.analysis.cropEnvironment,
    )

    @Test
    fun `a body's shape and the light on it`() {
        // Colours of the crops may differ by a level, and the person follows them.
        assertGolden("view/silhouette", Golden.analysis.person.every(2).data, 2e-2f, 1e-4f)
        assertGolden("body/person", body.person.every(2).data, 2e-2f, 1e-4f)
        assertGolden("body/share", body.share.every(2).data, 1e-5f)
        assertGolden("body/normals", body.normals.every(2).data, 1e-3f, 1e-5f)
        assertGolden("body/existing", body.existing.every(2).data, 1e-3f, 1e-5f)
        assertGolden("body/trust", body.trust.every(2).data, 1e-5f)
        assertGolden("body/meeting", body.meeting.every(2).data, 1e-3f, 1e-5f)
    }

    @Test
    fun `a key's gain on a body meets the head's`() {
        val light = Golden.value("relight/placed").toLight().rolled(-Golden.face.crop.roll)
        val both = body.gain(Golden.face.crop, Golden.raster("relight/head_gain"), light.direction)
        val gain = checkNotNull(both.body)
        assertGolden("body/gain", gain.every(2).data, 2e-3f, 1e-4f)
        val added = FloatArray(both.head.data.size) { (both.head.data[it] * light.intensity * light.color[it % 3]).toFloat() }
        assertGolden("relight/added_gain", added, 2e-3f, 1e-5f)
        assertTrue(gain.data.all { it >= 0 })
    }

    @Test
    fun `without a body there is none`() {
        val nobody = object : Perception by Golden.Recorded() {
            override fun person(crop: Photo) = Raster(crop.rows, crop.columns, 1)
        }
        val whole = bodyOf(lookBelow(nobody, Golden.example, Golden.face), Golden.face.crop, head)
        assertNull(whole.body, "nobody is seen on the face")
        val photo = Photo(100, 100, ByteArray(100 * 100 * 3))
        assertNull(bodyCrop(Crop(50.0, 50.0, 115.0), photo), "all is in the head's square")
        assertNotNull(bodyCrop(Crop(50.0, 50.0, 105.0), photo))
    }
}
