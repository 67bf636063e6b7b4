// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import portrait.relight.Light

class LampTest {
    @Test
    fun `a lamp stands where its light comes from`() {
        assertEquals(0.5f to 0.5f, lampPlace(Light(0.0, 0.0)))
        val (x, y) = lampPlace(Light(45.0, 30.0))
        assertTrue(x > 0.5f && y < 0.5f) { "right and up, got $x, $y" }
        assertEquals(1f, lampPlace(Light(170.0, 0.0)).first)
    }

    @Test
    fun `dragging and drawing are inverse`() {
        val (x, y) = 0.8f to 0.3f
        val (u, v) = lampPlace(movedLight(Light(0.0, 0.0), x, y))
        assertEquals(x, u, 1e-6f)
        assertEquals(y, v, 1e-6f)
    }

    @Test
    fun `a finger past the edge and a light that was off`() {
        val moved = movedLight(Light(0.0, 0.0, 0.0), 1.7f, -3f)
        assertEquals(90.0, moved.azimuthDeg)
        assertEquals(90.0, moved.elevationDeg)
        assertEquals(1.0, moved.intensity)
    }

    @Test
    fun `every text that the screen names is there`() {
        val file = File(System.getProperty("module.root"), "src/main/res/values/strings.xml")
        val nodes = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file).getElementsByTagName("string")
        val texts = (0 until nodes.length).map { nodes.item(it).attributes.getNamedItem("name").nodeValue }.toSet()
        val named = R.string::class.java.declaredFields.map { it.name }.toSet() - "INSTANCE" - "\$stable" // the latter is Compose's
        assertEquals(emptySet<String>(), named - texts, "named but not there")
        assertEquals(setOf("app_name", "compose_name"), texts - named, "there but not named")
    }
}
