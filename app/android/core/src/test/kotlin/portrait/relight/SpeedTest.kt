// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.io.File
import java.lang.management.ManagementFactory
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import kotlinx.serialization.json.add
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledIfSystemProperty

/**
 * Processor time of each stage, for `python -m export.benchmark jvm` to compare with Python's.
 *
 * `-Dspeed.folder=FOLDER` names a folder of photo.rgb and speed.json: `size`, the photo's rows and columns,
 * and `rounds`; times.json is written there, the milliseconds of each stage and round. What the
 * networks answered the first time is answered again: they are not timed.
 */
@EnabledIfSystemProperty(named = "speed.folder", matches = ".+")
class SpeedTest {
    private val folder = File(System.getProperty("speed.folder").orEmpty())
    private val asked = Json.parseToJsonElement(File(folder, "speed.json").readText()).jsonObject
    private val threads = ManagementFactory.getThreadMXBean()

    /** The shipped networks, each answer given once more in every later round. */
    private class Remembered : Models() {
        private val models = NativeModels()
        private val answers = ArrayList<Map<String, FloatArray>>()
        private var next = 0
        private var full = false

        override fun open(name: String): Model = object : Model {
            override fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray> {
                if (full) return answers[next++ % answers.size]
                return models.run(name, inputs).also { answers += it }
            }

            override fun close() = models.close()
        }

        /** Begins the next round. */
        fun again() {
            full = true
            next = 0
        }
    }

    @Test
    fun `processor time of each stage`() {
        val (rows, columns) = asked.getValue("size").numbers().map { it.toInt() }
        val photo = Photo(rows, columns, File(folder, "photo.rgb").readBytes())
        val rounds = asked.int("rounds")
        val models = Remembered()
        val stages = NetworkStages(models)
        val times = LinkedHashMap<String, ArrayList<Double>>()
        // The first rounds are for the compiler.
        val clock = { name: String, work: () -> Unit ->
            val before = threads.currentThreadCpuTime
            work()
            times.getOrPut(name) { ArrayList() } += (threads.currentThreadCpuTime - before) / 1e6
        }
        for (round in 0 until 2 * rounds) {
            round(photo, models, stages, clock)
            models.again()
        }
        File(folder, "times.json").writeText(
            buildJsonObject {
                for ((name, found) in times) putJsonArray(name) { found.drop(rounds).forEach { add(it) } }
            }.toString(),
        )
        assertTrue(times.size > 5)
    }

    private fun round(photo: Photo, models: Models, stages: Stages, clock: (String, () -> Unit) -> Unit) {
        val perception = NetworkPerception(models)
        lateinit var face: Face
        lateinit var analysis: Analysis
        lateinit var gain: FaceGain
        lateinit var guide: Guide
        clock("faces found") { face = perception.find(photo).first() }
        clock("crop to 256") { face.crop.extract(photo, 256) }
        clock("analysis") { analysis = analyze(perception, stages, photo, face) }
        val light = Light(50.0, 30.0)
        clock("shadows cast") { unshadowed(analysis.view.mesh, light.direction, 0.1f) }
        clock("key gain, first") { gain = gainOf(stages, analysis, light) }
        clock("key gain, moved") { gain = gainOf(stages, analysis, light) }
        clock("guide") { guide = Guide(photo, listOf(analysis.outline)) }
        clock("guided fit") { guide.fit(listOf(gain)) }
        val portrait = Portrait(photo, listOf(analysis), stages, 1)
        clock("first render") { portrait.render(Setup(listOf(light))) }
        clock("dimmed render") { portrait.render(Setup(listOf(light.copy(intensity = 0.5)), fill = 0.7)) }
        clock("first preview") { portrait.render(Setup(listOf(light)), side = 1024) }
        clock("dimmed preview") { portrait.render(Setup(listOf(light.copy(intensity = 0.5)), fill = 0.7), side = 1024) }
    }
}
