// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import org.junit.jupiter.api.Test

class FilterTest {
    private val values = Golden.raster("filter/values")

    @Test
    fun `means and Gaussians`() {
        assertGolden("filter/box", blur(values, 5).data, 1e-6f)
        assertGolden("filter/gaussian", gaussianBlur(values, 1.3).data, 1e-6f)
        assertGolden("filter/gaussian_replicate", gaussianBlur(values, 4.0, Border.REPLICATE).data, 1e-6f)
    }

    @Test
    fun `masks shrink and grow`() {
        val mask = values.map { if (it > 0.5f) 1f else 0f }
        assertGolden("filter/erode", erode(mask, 3).data, 0f)
        assertGolden("filter/dilate", dilate(mask, 3).data, 0f)
    }

    @Test
    fun `values follow a picture's colours`() {
        val guide = Golden.raster("filter/guide")
        assertGolden("filter/guided/1", guidedFilter(guide, values, 3, 1e-4f, 1.0).data, 1e-4f)
        assertGolden("filter/guided/0.25", guidedFilter(guide, values, 2, 1e-4f, 0.25).data, 1e-4f)
    }
}
