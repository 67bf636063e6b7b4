// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class TakeTest {
    /** The example's answers, which grow from look to look as Python's did; and which networks were asked. */
    private class Changing : Models() {
        var look = 0
        val asked = ArrayList<String>()
        private val answers = mapOf(
            "normals" to Golden.floats("normals/normals"),
            "confidence" to Golden.floats("normals/network_confidence"),
            "log_environment" to Golden.floats("lighting/log_environment"),
            "log_shading" to Golden.floats("shading/log_shading"),
            "key" to Golden.floats("key/key"),
        )

        override fun open(name: String): Model = object : Model {
            override fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray> {
                asked += name
                return answers.mapValues { (each, answer) -> answer.grown(look * (changes[each] ?: 0.0)) }
            }

            override fun close() = Unit
        }

        private fun FloatArray.grown(by: Double) = FloatArray(size) { this[it] + by.toFloat() }

        private companion object {
            val changes = listOf("normals", "confidence", "log_environment", "log_shading")
                .associateWith { Golden.value("steady/changes").number(it) }
        }
    }

    /** The face of each look, and its outlines, which fade as Python's did. */
    private class Fading : Perception {
        var look = 0
        private val landmarks = Golden.floats("steady/landmarks").let { all ->
            List(steps.size) { all.copyOfRange(it * all.size / steps.size, (it + 1) * all.size / steps.size) }
        }
        private val seen = Golden.Recorded(landmarks)
        private val faded = Golden.value("steady/faded").jsonPrimitive.double

        init {
            seen.find(Golden.example) // learns to tell the body's squares from the heads'
        }

        override fun find(photo: Photo): List<Face> =
            listOf(Face.fromLandmarks(landmarks[look], photo.height, photo.width))

        override fun person(crop: Photo): Raster = seen.person(crop).map { (1 - look * faded).toFloat() * it }

        override fun close() = Unit
    }

    @Test
    fun `a face's estimates are averaged as Python's are`() {
        val (models, perception) = Changing() to Fading()
        val steady = SteadyLook(NetworkStages(models), perception)
        val every = Golden.value("steady/every").jsonPrimitive.int
        steps.forEachIndexed { look, stepS ->
            models.look = look
            perception.look = look
            val found = steady.look(Golden.example, 1, perception.find(Golden.example).single(), stepS)
            val analysis = found.analysis
            assertGolden("steady/normals/$look", analysis.cropNormals.every(every).data, 1e-3f, 1e-4f)
            assertGolden("steady/confidence/$look", analysis.cropConfidence.every(every).data, 1e-3f, 1e-4f)
            assertGolden("steady/environment/$look", analysis.cropEnvironment.data.data, 2e-3f, 2e-4f)
            assertGolden("steady/outline/$look", analysis.view.outline.every(every).data, 1e-4f)
            assertGolden("steady/body/$look", checkNotNull(analysis.body).person.every(every).data, 2e-2f, 1e-3f)
            assertGolden("steady/lift/$look", found.there.lift.every(every).data, 1e-2f, 1e-3f)
            assertEquals(Golden.value("steady/level/$look").jsonPrimitive.double, analysis.meanIrradiance, 1e-4)
        }
        val count = models.asked.groupingBy { it }.eachCount()
        assertEquals(mapOf("normals" to 3, "lighting" to 2, "shading" to 2), count, "a still face is not asked about anew")
    }

    @Test
    fun `a face that is lost is forgotten, and a take goes forward`() {
        val (models, perception) = Changing() to Fading()
        var gone = false
        val hiding = object : Perception by perception {
            override fun find(photo: Photo) = if (gone) emptyList() else perception.find(photo)
        }
        val take = Relighter(hiding, NetworkStages(models)).take()
        val first = take.look(Golden.example, 10.0).analyses.single()
        models.look = 1
        val second = take.look(Golden.example, 10.1).analyses.single()
        assertThrows(IllegalArgumentException::class.java) { take.look(Golden.example, 10.1) }
        gone = true
        assertThrows(NoFaceError::class.java) { take.look(Golden.example, 10.2) }
        gone = false
        val alone = take.look(Golden.example, 10.3).analyses.single()
        fun away(analysis: Analysis) =
            first.cropNormals.zip(analysis.cropNormals) { a, b -> (a - b) * (a - b) }.data.sum()
        assertTrue(away(second) < 0.1f * away(alone), "what was known counts")
        val other = Relighter(Golden.Recorded(), NetworkStages(models)).take()
        assertArrayEquals(other.look(Golden.example, 0.0).analyses.single().cropNormals.data, alone.cropNormals.data, 1e-6f)
    }

    @Test
    fun `a picture of a take is lit without asking about its light again`() {
        val models = Changing()
        val portrait = Relighter(Fading(), NetworkStages(models)).take().look(Golden.example, 0.0)
        models.asked.clear()
        val result = portrait.render(listOf(Light(40.0, 30.0)), side = 128).image
        assertEquals(listOf("key"), models.asked)
        assertTrue(!result.rgb.contentEquals(portrait.at(128).rgb))
    }

    private companion object {
        val steps = Golden.value("steady/steps").jsonArray.map { it.jsonPrimitive.double }
    }
}
