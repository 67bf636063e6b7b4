// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class LightTest {
    @Test
    fun `a light's azimuth is brought into range`() {
        assertEquals(-170.0, Light(190.0, 0.0).azimuthDeg)
        assertEquals(180.0, Light(-180.0, 0.0).azimuthDeg)
        assertEquals(0.0, angleBetween(Light(30.0, 20.0).direction, Light.fromDirection(Light(30.0, 20.0).direction).direction), 1e-9)
    }

    @Test
    fun `numbers out of range are refused`() {
        assertThrows<IllegalArgumentException> { Light(0.0, 91.0) }
        assertThrows<IllegalArgumentException> { Light(Double.NaN, 0.0) }
        assertThrows<IllegalArgumentException> { Light(0.0, 0.0, -1.0) }
        assertThrows<IllegalArgumentException> { Light(0.0, 0.0, color = listOf(1.0, 1.0)) }
        assertThrows<IllegalArgumentException> { Light(0.0, 0.0, softnessDeg = 46.0) }
        assertThrows<IllegalArgumentException> { Setup(listOf(), fill = 0.0) }
        assertThrows<IllegalArgumentException> { Setup(listOf(), shares = listOf(1.0, 1.1)) }
    }

    @Test
    fun `lights are equal whatever their reason`() {
        assertEquals(Light(10.0, 20.0), Light(10.0, 20.0, reason = "because"))
        assertNotEquals(Light(10.0, 20.0), Light(10.0, 21.0))
    }

    @Test
    fun `a face beyond a setup's shares gets all of it`() {
        assertEquals(listOf(0.5, 1.0, 1.0), Setup(listOf(), shares = listOf(0.5)).sharesOf(3))
        assertEquals(listOf(0.5), Setup(listOf(), shares = listOf(0.5, 0.0)).sharesOf(1))
    }
}
