# SPDX-License-Identifier: Apache-2.0
"""TFLite metadata: each shipped file describes its purpose, inputs and outputs itself.

Android Studio, Netron and MediaPipe's MetadataDisplayer show it; the interpreter ignores it.

Reference: TensorFlow Lite metadata schema 1.5 (``metadata_schema.fbs``).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from export.model.description import AUTHOR, LICENSE, Description, Tensor
from export.model.mediapipe_package import schemas
from relight.models.interpreter import load_interpreter

FIELD = b"TFLITE_METADATA"
"""Where readers look for it among a model's metadata."""
MODEL_IDENTIFIER, METADATA_IDENTIFIER = b"TFL3", b"M001"
LEAST_PARSER = "1.0.0"
"""Version of the schema that has all fields written here."""


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
    _, schema = schemas()
    model = schema.ModelMetadataT()
    model.name = f"Portrait Relight: {name}"
    model.description = f"{description.purpose} {json.dumps(dict(figures), sort_keys=True)}"
    model.version, model.author, model.license = version, AUTHOR, LICENSE
    model.minParserVersion = LEAST_PARSER
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
    return attach(content, model)


def attach(content: bytes, metadata: Any) -> bytes:
    """Put metadata, a ``ModelMetadataT`` of the schema, into the content of a TFLite file."""
    import flatbuffers

    tflite, _ = schemas()
    builder = flatbuffers.Builder(0)
    builder.Finish(metadata.Pack(builder), METADATA_IDENTIFIER)
    whole = tflite.ModelT.InitFromObj(tflite.Model.GetRootAsModel(content, 0))
    buffer, field = tflite.BufferT(), tflite.MetadataT()
    buffer.data = np.frombuffer(builder.Output(), np.uint8)
    field.name, field.buffer = FIELD, len(whole.buffers)
    whole.buffers.append(buffer)
    whole.metadata = [*(whole.metadata or []), field]
    builder = flatbuffers.Builder(0)
    builder.Finish(whole.Pack(builder), MODEL_IDENTIFIER)
    return bytes(builder.Output())


def read(content: bytes) -> dict[str, Any]:
    """The metadata in the content of a TFLite file, by the schema's own names.

    Raises:
        ValueError: if it has none.
    """
    tflite, schema = schemas()
    model = tflite.ModelT.InitFromObj(tflite.Model.GetRootAsModel(content, 0))
    for field in model.metadata or []:
        if bytes(field.name) == FIELD:
            data = bytes(model.buffers[field.buffer].data)
            root = schema.ModelMetadata.GetRootAsModelMetadata(data, 0)
            result: dict[str, Any] = _plain(schema.ModelMetadataT.InitFromObj(root))
            return result
    raise ValueError("this model has no metadata")


def _plain(value: Any) -> Any:
    """A generated class's values as JSON has them; what is not set is left out."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list | np.ndarray):
        return [_plain(one) for one in value]
    if not hasattr(value, "__dict__"):
        return value
    named = {re.sub("([A-Z])", r"_\1", key).lower(): one for key, one in vars(value).items()}
    return {key: _plain(one) for key, one in named.items() if one is not None}


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
    """Signature names in the order of the file's tensors, which is the order of metadata."""
    runner = interpreter.get_signature_runner()
    by_name = getattr(runner, f"get_{kind[:-1]}_details")()
    order = [d["index"] for d in getattr(interpreter, f"get_{kind[:-1]}_details")()]
    return sorted(by_name, key=lambda name: order.index(by_name[name]["index"]))
