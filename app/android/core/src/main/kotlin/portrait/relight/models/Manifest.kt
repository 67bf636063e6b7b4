// SPDX-License-Identifier: Apache-2.0
package portrait.relight

import java.security.MessageDigest
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** File beside the models that lists them. */
public const val MANIFEST: String = "models.json"

/** The models' one signature. */
public const val SIGNATURE: String = "serving_default"

/**
 * What the manifest says of one model.
 *
 * @property file its name in the manifest's folder.
 * @property sha256 checksum of its content, hexadecimal.
 * @property inputs shape by name, the batch axis of 1 first.
 * @property outputs likewise.
 */
public class ModelEntry(
    public val file: String,
    public val sha256: String,
    public val inputs: Map<String, List<Int>>,
    public val outputs: Map<String, List<Int>>,
) {
    /**
     * Checks that [content] is this model.
     *
     * @throws ModelError if it is not.
     */
    public fun check(content: ByteArray) {
        val found = MessageDigest.getInstance("SHA-256").digest(content)
            .joinToString("") { "%02x".format(it) }
        if (found != sha256) throw ModelError("$file is damaged: its checksum is not that of $MANIFEST")
    }
}

/**
 * The list of models.
 *
 * @property version of the models.
 * @property models by name.
 */
public class Manifest(public val version: String, public val models: Map<String, ModelEntry>) {
    /**
     * A model by its name.
     *
     * @throws ModelError if it is not listed.
     */
    public fun entry(name: String): ModelEntry =
        models[name] ?: throw ModelError("$MANIFEST lists no model $name")

    public companion object {
        /**
         * Reads the content of `models.json`.
         *
         * @throws ModelError if it is damaged.
         */
        @JvmStatic
        public fun parse(text: String): Manifest = try {
            val root = Json.parseToJsonElement(text).jsonObject
            Manifest(
                root.getValue("version").jsonPrimitive.content,
                root.getValue("models").jsonObject.mapValues { entry(it.value.jsonObject) },
            )
        } catch (error: IllegalArgumentException) {
            throw ModelError("$MANIFEST is no list of models: ${error.message}", error)
        } catch (error: NoSuchElementException) {
            throw ModelError("$MANIFEST is no list of models: ${error.message}", error)
        }

        private fun entry(node: JsonObject): ModelEntry = ModelEntry(
            node.getValue("file").jsonPrimitive.content,
            node.getValue("sha256").jsonPrimitive.content,
            shapes(node.getValue("inputs").jsonObject),
            shapes(node.getValue("outputs").jsonObject),
        )

        private fun shapes(node: JsonObject): Map<String, List<Int>> =
            node.mapValues { (_, shape) -> shape.jsonArray.map { it.jsonPrimitive.int } }
    }
}
