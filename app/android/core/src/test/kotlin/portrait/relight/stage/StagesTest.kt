// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Test
import portrait.relight.Constants.View.FINE
import portrait.relight.Constants.View.SIDE

class StagesTest {
    private class Answering(private val model: Model) : Models() {
        override fun open(name: String) = model
    }

    @Test
    fun `a grey photo's gain is grey, whatever colour the network gives it`() {
        val answer = object : Model {
            override fun run(inputs: Map<String, FloatArray>) = mapOf("gain" to Golden.floats("grey/network_gain"))
            override fun close() = Unit
        }
        val normals = Raster(SIDE, SIDE, 3, FloatArray(SIDE * SIDE * 3) { if (it % 3 == 2) 1f else 0f })
        val whole = normals.channel(2)
        val flat = Raster(SIDE, SIDE, 1)
        val outline = Raster(FINE * SIDE, FINE * SIDE, 1).map { 1f }
        val environment = Environment(Golden.raster("environment/uniform"))
        val every = Golden.value("grey/every").jsonPrimitive.int
        Golden.value("grey/levels").jsonArray.forEachIndexed { i, level ->
            val photo = Raster(SIDE, SIDE, 3).map { 0.5f }
            photo.data[(40 * SIDE + 50) * 3] += level.jsonPrimitive.int / 255f
            val view = View(photo, photo, Surface(normals, flat, whole), whole, whole, outline)
            val gain = NetworkStages(Answering(answer)).use { it.gain(view, normals, environment, Light(30.0, 20.0)) }
            assertGolden("grey/gain/$i", gain.every(every).data, 1e-3f)
        }
    }
}
