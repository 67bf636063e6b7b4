// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.float
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import portrait.relight.Constants.Landmark.LANDMARKS
import portrait.relight.Constants.View.FINE
import portrait.relight.Constants.View.SIDE

class StagesTest {
    private class Answering(private val model: Model) : Models() {
        override fun open(name: String) = model
    }

    @Test
    fun `a grey photo's gain is grey, whatever colour the network finds`() {
        val answer = object : Model {
            override fun run(inputs: Map<String, FloatArray>) = mapOf("log_shading" to Golden.floats("grey/log_shading"), "key" to Golden.floats("grey/key"))
            override fun close() = Unit
        }
        val normals = Raster(SIDE, SIDE, 3, FloatArray(SIDE * SIDE * 3) { if (it % 3 == 2) 1f else 0f })
        val whole = normals.channel(2)
        val flat = Raster(SIDE, SIDE, 1)
        val outline = Raster(FINE * SIDE, FINE * SIDE, 1).map { 1f }
        val environment = Environment(Golden.raster("environment/uniform"))
        val every = Golden.value("grey/every").jsonPrimitive.int
        Golden.value("grey/levels").jsonArray.forEachIndexed { i, level ->
            val photo = Raster(SIDE, SIDE, 3).map { 128 / 255f }
            photo.data[(40 * SIDE + 50) * 3] += level.jsonPrimitive.int / 255f
            val view = View(photo, photo, Surface(normals, flat, whole), whole, whole, outline, FloatArray(LANDMARKS * 3))
            val gain = NetworkStages(Answering(answer)).use { it.gain(view, normals, environment, Light(30.0, 20.0)) }
            assertGolden("grey/gain/$i", gain.every(every).data, 1e-3f)
        }
    }

    @Test
    fun `the networks are told what Python tells them`() {
        val view = Golden.view
        val environment = Environment(Golden.raster("lighting/environment"))
        val surface = between(view, Golden.raster("normals/normals"))
        assertGolden("shading/normals", surface.every(2).data, 0.05f, 1e-4f)
        val told = shadingInputs(view, surface, environment)
        val mirrored = Raster(SIDE, SIDE, 5, told.getValue("mirrored"))
        assertGolden("shading/mirrored", mirrored.every(2).data, 0.5f, 2e-3f)
        val lit = Raster(SIDE, SIDE, 3, told.getValue("shading"))
        assertGolden("shading/shading", lit.every(2).data, 0.1f, 3e-3f)
        val believed = Golden.value("shading/belief").jsonPrimitive.float
        assertEquals(believed, told.getValue("belief").single(), 1e-3f)
        // The key stands to the left, so that its network sees the mirror image.
        val (x, y, z, radius) = mirrored(mapOf("light" to Golden.floats("key/light"))).getValue("light")
        val direction = Vector(x.toDouble(), y.toDouble(), z.toDouble())
        val seen = mirrored(mapOf("unshadowed" to unshadowed(view.mesh, direction, radius).data))
        assertGolden("key/unshadowed", seen.getValue("unshadowed"), 1f, 2e-3f)
    }

    @Test
    fun `a point's mirror image is its partner's`() {
        assertGolden("mirror/partners", FloatArray(partners.size) { partners[it].toFloat() }, 0f)
        val found = mirror(Golden.face.cropLandmarks(64), 64)
        assertGolden("mirror/position", found.position.data, 1e-3f)
        assertGolden("mirror/trust", found.trust.data, 1e-3f)
    }
}
