// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/**
 * How a portrait is lit: the lights added, and what is kept of the light already there.
 *
 * @property lights the keys.
 * @property fill share of the existing light that stays on the person, in (0, 1]; 1 keeps all.
 * @property reason why, one sentence; empty for a user's own setup.
 */
public data class Setup @JvmOverloads constructor(
    public val lights: List<Light>,
    public val fill: Double = 1.0,
    public val reason: String = "",
) {
    init {
        require(fill > 0 && fill <= 1) { "fill lies in (0, 1], got $fill" }
    }
}
