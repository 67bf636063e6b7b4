// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.float
import kotlinx.serialization.json.int
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test

class GrainTest {
    private val photo = Golden.photo("grain/photo")

    @Test
    fun `noise is measured, and light does not lift it`() {
        assertEquals(Golden.value("grain/noise").jsonPrimitive.float, noise(photo), 1e-5f)
        val fill = Golden.value("grain/fill").jsonPrimitive.float
        for (step in Golden.value("grain/steps").jsonArray.map { it.jsonPrimitive.int }) {
            val grain = checkNotNull(grainOf(photo, Golden.raster("grain/cells/$step"), step))
            assertGolden("grain/colors/$step", grain.colors.data, 1e-5f)
            assertGolden("grain/dim/$step", grain.dim.data, 1e-5f)
            val added = GainMap(0, 0, step, Golden.raster("grain/gain/$step"))
            val taken = Golden.raster("grain/person/$step").map { (1 - fill) * it }
            assertGolden("grain/relit/$step", apply(photo, added, 1.0, 2, taken, grain).numbers(), 1f, 0.02f)
            assertGolden("grain/lit/$step", apply(photo, added, 1.0, 1, null, grain).numbers(), 1f, 0.02f)
        }
    }

    @Test
    fun `a clean photo has no noise`() {
        assertNull(grainOf(Photo(40, 40, ByteArray(40 * 40 * 3) { (it / 120).toByte() }), Raster(40, 40, 3), 1))
        assertEquals(0f, noise(Photo(40, 8, ByteArray(40 * 8 * 3))), "too narrow to tell")
    }
}
