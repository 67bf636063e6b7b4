// SPDX-License-Identifier: Apache-2.0
package portrait.relight.tflite

import java.io.File
import java.net.URLClassLoader
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.ZipFile
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test

/** Whether an app with the library may be uploaded to Google Play: memory pages of 16 KB. */
class AlignmentTest {
    private val archives = File(System.getProperty("archives").orEmpty())
    private val version = System.getProperty("litert.version").orEmpty()

    private fun shipped(name: String): File = File(archives, "$name-$version.aar").also {
        assumeTrue(it.isFile) { "$it was not to be had from Google's repository: build online to check it" }
    }

    /** Least alignment of what is loaded of each 64-bit library of an archive, by its path. */
    private fun alignments(archive: File): Map<String, Long> = ZipFile(archive).use { zip ->
        zip.entries().asSequence().filter { it.name.endsWith(".so") }.associate { entry ->
            entry.name to zip.getInputStream(entry).use { leastAlignment(it.readBytes()) }
        }.filterValues { it != null }.mapValues { it.value!! }
    }

    /** Null for a 32-bit library: those only ever see pages of 4 KB. */
    private fun leastAlignment(elf: ByteArray): Long? {
        val bytes = ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN)
        assertEquals(0x464c457f, bytes.getInt(0), "no ELF file")
        if (bytes.get(4).toInt() != SIXTY_FOUR_BITS) return null
        val (table, size, count) = Triple(bytes.getLong(32).toInt(), bytes.getShort(54).toInt(), bytes.getShort(56).toInt())
        return List(count) { table + it * size }.filter { bytes.getInt(it) == LOADED }.minOf { bytes.getLong(it + 48) }
    }

    @Test
    fun `the interpreter and its GPU delegate fit pages of 16 KB`() {
        for (name in listOf("litert", "litert-gpu")) {
            val found = alignments(shipped(name))
            assertTrue(found.keys.any { "arm64-v8a" in it }) { "$name has ${found.keys}" }
            for ((path, bytes) in found) assertTrue(bytes >= PAGE) { "$name: $path is aligned to $bytes bytes" }
        }
    }

    @Test
    fun `the check tells a library that does not fit`() {
        val found = alignments(File(archives, "tensorflow-lite.aar"))
        assertTrue(found.keys.any { "arm64-v8a" in it })
        assertTrue(found.values.all { it < PAGE }) { "$found" }
    }

    @Test
    fun `what is compiled against has the shape of what is shipped`() {
        val jars = listOf("litert", "litert-api", "litert-gpu", "litert-gpu-api").map { name ->
            val jar = File(archives, "$name-classes.jar")
            ZipFile(shipped(name)).use { zip -> jar.writeBytes(zip.getInputStream(zip.getEntry("classes.jar")).readBytes()) }
            jar.toURI().toURL()
        }
        URLClassLoader(jars.toTypedArray(), null).use { shipped ->
            for ((name, members) in USED) {
                val there = shipped.loadClass(name).methods.map { it.name }
                val here = Class.forName(name, false, javaClass.classLoader).methods.map { it.name }
                for (member in members) assertTrue(member in there && member in here) { "$name.$member" }
            }
        }
    }

    private companion object {
        const val PAGE = 16L * 1024
        const val SIXTY_FOUR_BITS = 2
        const val LOADED = 1

        /** What TfliteModel asks of the interpreter. */
        val USED = mapOf(
            "org.tensorflow.lite.Interpreter" to listOf(
                "runSignature", "getSignatureKeys", "runForMultipleInputsOutputs", "getInputTensorCount",
                "getInputTensor", "getOutputTensorCount", "getOutputTensor", "close",
            ),
            "org.tensorflow.lite.Interpreter\$Options" to listOf("setNumThreads", "setUseXNNPACK", "addDelegate"),
            "org.tensorflow.lite.gpu.CompatibilityList" to
                listOf("isDelegateSupportedOnThisDevice", "getBestOptionsForThisDevice", "close"),
            "org.tensorflow.lite.gpu.GpuDelegate" to listOf("close"),
        )
    }
}
