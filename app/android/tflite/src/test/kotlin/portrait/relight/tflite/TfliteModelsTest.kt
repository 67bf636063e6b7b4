// SPDX-License-Identifier: Apache-2.0
package portrait.relight.tflite

import java.io.ByteArrayInputStream
import java.io.FileNotFoundException
import java.util.concurrent.RejectedExecutionException
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import portrait.relight.MANIFEST
import portrait.relight.Manifest
import portrait.relight.ModelError

class TfliteModelsTest {
    private fun shipped(file: String) =
        checkNotNull(javaClass.getResourceAsStream("/assets/$FOLDER/$file")) { "no $file in the library" }

    @Test
    fun `the library carries the models that its manifest lists`() {
        val manifest = Manifest.parse(shipped(MANIFEST).readBytes().decodeToString())
        val ours = setOf("normals", "lighting", "shading", "key")
        assertEquals(ours + setOf("face_full", "face_short", "face_mesh", "person"), manifest.models.keys)
        for (entry in manifest.models.values) entry.check(shipped(entry.file).readBytes())
    }

    @Test
    fun `who runs which model is said of models that exist`() {
        val manifest = Manifest.parse(shipped(MANIFEST).readBytes().decodeToString())
        for (name in DEFAULT_ACCELERATORS.keys) assertNotNull(manifest.models[name])
    }

    @Test
    fun `a damaged model is refused before it is run`() {
        val models = TfliteModels { file ->
            val content = shipped(file).readBytes()
            if (file != MANIFEST) content[content.size / 2] = (content[content.size / 2] + 1).toByte()
            ByteArrayInputStream(content)
        }
        for (name in listOf("key", "face_mesh")) {
            val error = assertThrows<ModelError> { models.run(name, emptyMap()) }
            assertTrue("damaged" in error.message!!)
        }
        models.close()
    }

    @Test
    fun `a missing model is told by its name`() {
        val models = TfliteModels { file -> throw FileNotFoundException(file) }
        val error = assertThrows<ModelError> { models.run("normals", emptyMap()) }
        assertTrue(MANIFEST in error.message!!)
        models.close()
    }

    @Test
    fun `all work is done on one thread and errors come back`() {
        val thread = ModelThread()
        val names = List(3) { thread.call { Thread.currentThread().name } }
        assertEquals(listOf(ModelThread.NAME), names.distinct())
        assertEquals("no", assertThrows<IllegalStateException> { thread.call { error("no") } }.message)
        thread.close()
        assertThrows<RejectedExecutionException> { thread.call { 1 } }
    }
}
