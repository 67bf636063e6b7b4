// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/**
 * The number that would stand at a place if the numbers were sorted; that is not needed to find it.
 *
 * Reference: Hoare 1961, "Algorithm 65: Find".
 *
 * @param values none of them NaN; their order changes.
 */
internal fun nth(values: FloatArray, place: Int): Float {
    var low = 0
    var high = values.size - 1
    while (low < high) {
        val pivot = values[(low + high) ushr 1]
        var i = low
        var j = high
        while (i <= j) {
            while (values[i] < pivot) i++
            while (values[j] > pivot) j--
            if (i > j) break
            val value = values[i]
            values[i++] = values[j]
            values[j--] = value
        }
        if (place <= j) high = j else if (place >= i) low = i else break
    }
    return values[place]
}
