// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.io.File
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.add
import kotlinx.serialization.json.addJsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledIfSystemProperty

/**
 * Photos as this library sees and relights them, for `tests/app/test_android.py` to compare with Python.
 *
 * `-Dagreement.folder=FOLDER` names a folder of NAME.rgb and photos.json, the photos' rows and columns;
 * found.json and, where there is a face, NAME.relit.rgb are written there.
 */
@EnabledIfSystemProperty(named = "agreement.folder", matches = ".+")
class AgreementTest {
    private val folder = File(System.getProperty("agreement.folder").orEmpty())

    @Test
    fun `photos are relit`() {
        val photos = Json.parseToJsonElement(File(folder, "photos.json").readText()).jsonObject
        val found = Relighter(NativeModels(), threads = 2).use { relighter ->
            photos.mapValues { (name, size) ->
                val (rows, columns) = size.numbers().map { it.toInt() }
                relit(relighter, name, Photo(rows, columns, File(folder, "$name.rgb").readBytes()))
            }
        }
        assertTrue(found.isNotEmpty())
        File(folder, "found.json").writeText(buildJsonObject { found.forEach { (name, one) -> put(name, one) } }.toString())
    }

    private fun relit(relighter: Relighter, name: String, photo: Photo): JsonElement {
        val portrait = try {
            relighter.look(photo)
        } catch (_: NoFaceError) {
            return JsonNull
        }
        val setup = portrait.suggest()
        File(folder, "$name.relit.rgb").writeBytes(portrait.render(setup).image.rgb)
        return buildJsonObject {
            putJsonArray("lights") {
                for (light in setup.lights) {
                    addJsonObject {
                        put("azimuth_deg", light.azimuthDeg)
                        put("elevation_deg", light.elevationDeg)
                        put("intensity", light.intensity)
                    }
                }
            }
            putJsonArray("faces") {
                for (face in portrait.faces) {
                    addJsonObject { putJsonArray("landmarks") { face.landmarks.forEach { add(it) } } }
                }
            }
        }
    }
}
