// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Test
import portrait.relight.Light
import portrait.relight.Model
import portrait.relight.Models
import portrait.relight.Photo
import portrait.relight.Relighter

class LiveLightTest {
    @Test
    fun `a picture too small for a face stays as it is, and there is no light to move`() {
        val none = object : Models() {
            override fun open(name: String): Model = error("$name is not needed")
        }
        LiveLight(Relighter(none)).use { live ->
            val frame = Photo(16, 16, ByteArray(16 * 16 * 3))
            live.move(Light(40.0, 30.0))
            assertSame(frame, live.relit(frame, 0.0))
            assertSame(frame, live.relit(frame, 0.1))
            assertNull(live.light)
        }
    }
}
