// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/**
 * How a portrait is lit: the lights added, and what is kept of the light already there.
 *
 * @property lights the keys.
 * @property fill share of the existing light that stays on the person, in (0, 1]; 1 keeps all.
 * @property reason why, in a sentence or two; empty for a user's own setup.
 * @property shares how much of all this each face gets, the largest face first, in [0, 1]; a face beyond
 *   the last gets all of it.
 */
public data class Setup @JvmOverloads constructor(
    public val lights: List<Light>,
    public val fill: Double = 1.0,
    public val reason: String = "",
    public val shares: List<Double> = emptyList(),
) {
    init {
        require(fill > 0 && fill <= 1) { "fill lies in (0, 1], got $fill" }
        require(shares.all { it in 0.0..1.0 }) { "shares lie in [0, 1], got $shares" }
    }

    /** The share of each of so many faces. */
    public fun sharesOf(faces: Int): List<Double> = List(faces) { shares.getOrElse(it) { 1.0 } }
}
