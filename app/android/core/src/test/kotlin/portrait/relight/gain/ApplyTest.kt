// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.jsonArray
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class ApplyTest {
    private val photo = Golden.photo("apply/photo")

    @Test
    fun `photos are multiplied, with a shoulder`() {
        for ((i, case) in Golden.value("apply/cases").jsonArray.withIndex()) {
            val added = GainMap(9, 7, case.int("factor"), Golden.raster("apply/gain/$i"))
            for (threads in listOf(1, 3)) {
                val away = (1 - case.number("fill")).toFloat()
                val taken = Golden.raster("apply/person/$i").map { away * it }
                val found = apply(photo, added, case.number("strength"), threads, taken)
                assertGolden("apply/relit/$i", found.numbers(), 1f, 0.02f)
            }
            if (added.factor > 1) {
                assertGolden("apply/expanded/$i", added.expand(photo.height, photo.width).every(2).data, 1e-5f)
            }
        }
    }

    @Test
    fun `strength 0 is the photo bit for bit, and so is a pixel without gain`() {
        val gain = Raster(4, 4, 3).also { it.data.fill(2f, 0, 12) }
        val added = GainMap(2, 3, 1, gain)
        assertArrayEquals(photo.rgb, apply(photo, added, 0.0).rgb)
        val relit = apply(photo, added)
        val unlit = (0 until photo.height).filter { it != 3 }
        for (row in unlit) {
            val range = row * photo.width * 3 until (row + 1) * photo.width * 3
            assertArrayEquals(photo.rgb.sliceArray(range), relit.rgb.sliceArray(range))
        }
        assertTrue(!photo.rgb.contentEquals(relit.rgb))
    }

    @Test
    fun `light never darkens and stays below white`() {
        val added = GainMap(0, 0, 1, Raster(photo.height, photo.width, 3).also { it.data.fill(1.5f) })
        val (before, after) = photo.numbers() to apply(photo, added, 3.0).numbers()
        assertTrue(before.indices.all { after[it] >= before[it] })
    }
}
