// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.util.Random
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class HalvingTest {
    private fun noise(rows: Int, columns: Int) =
        Photo(rows, columns, ByteArray(rows * columns * 3).also(Random(1)::nextBytes))

    @Test
    fun `halving twice at once is halving twice`() {
        val photo = noise(27, 42)
        val part = Box(3, 26, 5, 42)
        val expected = shrink(shrink(photo, 2, part), 2)
        val found = halved(photo, 2, part)
        assertEquals(5 to 9, found.rows to found.columns)
        assertArrayEquals(expected.rgb, found.rgb)
    }

    @Test
    fun `a part of a smaller photo is as in all of it`() {
        val photo = noise(512, 640)
        val region = Region(300.0, 200.0, 128.0, 0.3)
        val alone = Pyramid(photo).sample(region, 32, repeat = true)
        val whole = Pyramid(photo).also { it.level(2) }.sample(region, 32, repeat = true)
        assertArrayEquals(whole, alone)
    }

    @Test
    fun `a number's place is found without sorting`() {
        val random = Random(2)
        for (size in listOf(1, 2, 7, 1000)) {
            val values = FloatArray(size) { random.nextInt(9) / 8f }
            val sorted = values.sortedArray()
            for (place in listOf(0, size / 2, size - 1)) assertEquals(sorted[place], nth(values.copyOf(), place))
        }
    }
}
