// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class ColorTest {
    @Test
    fun `bytes decode to linear light`() {
        assertGolden("color/table", FloatArray(256) { srgbToLinear(it) }, 1e-6f)
    }

    @Test
    fun `floats decode, encode and scale`() {
        val encoded = Golden.floats("color/encoded")
        val gain = Golden.floats("color/gain")
        val linear = Golden.floats("color/linear")
        assertGolden("color/srgb_to_linear", FloatArray(encoded.size) { srgbToLinear(encoded[it]) }, 2e-6f)
        assertGolden("color/linear_to_srgb", FloatArray(linear.size) { linearToSrgb(linear[it]) }, 3e-6f)
        assertGolden("color/encoded_gain", FloatArray(gain.size) { encodedGain(gain[it]) }, 2e-6f)
        val changed = FloatArray(gain.size) { changeEncoded(encoded[it], gain[it], encodedGain(gain[it])) }
        assertGolden("color/change_encoded", changed, 3e-6f)
    }

    @Test
    fun `light taken away is close to exact`() {
        for (gain in listOf(0.1f, 0.4f, 0.9f, 1f, 2f)) {
            for (byte in 0..255) {
                val exact = linearToSrgb(srgbToLinear(byte) * gain)
                assertEquals(exact, changeEncoded(byte / 255f, gain, encodedGain(gain)), 2.3f / 255)
            }
        }
    }

    @Test
    fun `luminance weighs red, green and blue`() {
        val rgb = Golden.floats("color/rgb")
        val found = FloatArray(rgb.size / 3) { luminance(rgb[it * 3], rgb[it * 3 + 1], rgb[it * 3 + 2]) }
        assertGolden("color/luminance", found, 1e-6f)
    }

    @Test
    fun `every byte survives decoding and encoding`() {
        for (byte in 0..255) assertEquals(byte, toByte(linearToSrgb(srgbToLinear(byte))).toInt() and 255)
    }
}
