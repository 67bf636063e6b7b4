# SPDX-License-Identifier: Apache-2.0
"""TFLite metadata: each shipped file says itself what it wants, gives and is.

Android Studio, Netron and MediaPipe's MetadataDisplayer show it; the interpreter ignores it.

Reference: TensorFlow Lite metadata schema 1.5 (``metadata_schema.fbs``), written with MediaPipe's
MetadataPopulator.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from export.model.description import AUTHOR, LICENSE, Description, Tensor
from export.model.mediapipe_package import metadata_writer
from relight.models.library import load_interpreter


def annotate(
    content: bytes,
    name: str,
    description: Description,
    version: str,
    figures: Mapping[str, Any],
) -> bytes:
    """Add metadata to the content of a TFLite file.

    Args:
        content: of the file.
        name: of the model.
        description: of the model and its tensors.
        version: of the model.
        figures: JSON-ready, appended to the model's description.
    """
    schema, writer = metadata_writer()
    model = schema.ModelMetadataT()
    model.name = f"Portrait Relight: {name}"
    model.description = f"{description.purpose} {json.dumps(dict(figures), sort_keys=True)}"
    model.version, model.author, model.license = version, AUTHOR, LICENSE
    interpreter = load_interpreter(content)
    graph = schema.SubGraphMetadataT()
    graph.name = name
    graph.inputTensorMetadata = _tensors(
        schema, _names_in_order(interpreter, "inputs"), description.inputs
    )
    graph.outputTensorMetadata = _tensors(
        schema, _names_in_order(interpreter, "outputs"), description.outputs
    )
    model.subgraphMetadata = [graph]
    builder = writer.flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), writer.MetadataPopulator.METADATA_FILE_IDENTIFIER)
    populator = writer.MetadataPopulator.with_model_buffer(content)
    populator.load_metadata_buffer(builder.Output())
    populator.populate()
    return bytes(populator.get_model_buffer())


def read(content: bytes) -> dict[str, Any]:
    """The metadata in the content of a TFLite file, as MediaPipe reads it."""
    _, writer = metadata_writer()
    displayer = writer.MetadataDisplayer.with_model_buffer(content)
    result: dict[str, Any] = json.loads(displayer.get_metadata_json())
    return result


def _tensors(schema: Any, names: Sequence[str], about: Mapping[str, Tensor]) -> list[Any]:
    return [_tensor(schema, name, about[name]) for name in names]


def _tensor(schema: Any, name: str, about: Tensor) -> Any:
    made = schema.TensorMetadataT()
    made.name = name
    limits = f"[{about.low:g}, {about.high:g}]"
    made.description = f"{about.content}; in {limits}; {about.space}"
    content = schema.ContentT()
    if about.image:
        content.contentPropertiesType = schema.ContentProperties.ImageProperties
        content.contentProperties = schema.ImagePropertiesT()
        content.contentProperties.colorSpace = schema.ColorSpaceType.RGB
        unit = schema.ProcessUnitT()
        unit.optionsType = schema.ProcessUnitOptions.NormalizationOptions
        unit.options = schema.NormalizationOptionsT()
        unit.options.mean, unit.options.std = [0.0], [255.0]  # from 8 bits to [0, 1]
        made.processUnits = [unit]
    else:
        content.contentPropertiesType = schema.ContentProperties.FeatureProperties
        content.contentProperties = schema.FeaturePropertiesT()
    made.content = content
    made.stats = schema.StatsT()
    made.stats.min = [about.low] if math.isfinite(about.low) else None
    made.stats.max = [about.high] if math.isfinite(about.high) else None
    return made


def _names_in_order(interpreter: Any, kind: str) -> list[str]:
    """Signature names in the order of the file's tensors, which is what metadata goes by."""
    runner = interpreter.get_signature_runner()
    by_name = getattr(runner, f"get_{kind[:-1]}_details")()
    order = [d["index"] for d in getattr(interpreter, f"get_{kind[:-1]}_details")()]
    return sorted(by_name, key=lambda name: order.index(by_name[name]["index"]))
