// SPDX-License-Identifier: Apache-2.0
/**
 * Bytes read as words of four, and sums of them.
 *
 * Compilers turn a loop into vector instructions where its arrays have one type and are all read and
 * written at the same place. A loop in which bytes become numbers is none; one over words is.
 *
 * A word of sums has two of them: one has those of the bytes 0 and 2 of each four, another those of 1
 * and 3.
 */
package portrait.relight

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The bits of two bytes in a word that has room for their sums. */
internal const val EACH = 0x00ff00ff

/** The bits of the first of two sums in a word. */
internal const val FIRST = 0xffff

/** Bits that the second of two sums is shifted by. */
internal const val SECOND = 16

/** Reads words from byte [first] on, as many as [into] has room for; of each, the first byte is lowest. */
internal fun readWords(bytes: ByteArray, first: Int, into: IntArray) {
    ByteBuffer.wrap(bytes, first, 4 * into.size).slice().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(into)
}
