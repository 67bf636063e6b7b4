# SPDX-License-Identifier: Apache-2.0
"""What of a phone can run all of a shipped model: ``python -m export.gpu``.

A single operation that TFLite's GPU delegate lacks splits a model into parts, with data copied from
GPU to CPU and back in between; so a model that is meant for the GPU must have none.

The same holds for an NPU; what is left over by XNNPACK, on the CPU, runs on the interpreter's own
kernels, which are slower but need no copies.

References:
    TensorFlow 2.16, ``tensorflow/lite/delegates/gpu/common/model_builder.cc``, the operations that
    the GPU delegate builds; LiteRT 2, ``litert/vendors/mediatek/compiler/create_model.cc``, those
    that an NPU's compiler takes. XNNPACK is asked itself: the interpreter says what it gave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from export.model import graph
from export.model.description import DESCRIPTIONS
from export.model.graph import DELEGATE, WEIGHTS, list_nodes
from relight.error import RelightError, plain_errors
from relight.models.interpreter import load_interpreter
from relight.models.library import Models, read_manifest

RUN_ON_GPU = frozenset({"key"})
"""Models that the Android library runs on the GPU: those that run with every move of a light."""

_LISTED = """
ABS ADD AVERAGE_POOL_2D BATCH_MATMUL CONCATENATION CONV_2D COS DEPTHWISE_CONV_2D DIV ELU EXP
FULLY_CONNECTED HARD_SWISH LEAKY_RELU LOG LOGISTIC LSTM MAXIMUM MAX_POOL_2D MEAN MINIMUM
MIRROR_PAD MUL NEG PACK PAD POW PRELU REDUCE_MAX REDUCE_MIN REDUCE_PROD RELU RELU6 RESHAPE
RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SIN SLICE SOFTMAX SPACE_TO_DEPTH SPLIT_V SQRT
SQUARE SQUARED_DIFFERENCE STRIDED_SLICE SUB SUM TANH TRANSPOSE TRANSPOSE_CONV"""
FRIENDLY = frozenset(_LISTED.split())
"""Operations on floats that the delegate supports."""
_TAKEN = """
ABS ADD AVERAGE_POOL_2D BATCH_MATMUL CAST CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEQUANTIZE DIV
FULLY_CONNECTED GELU GREATER HARD_SWISH LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL PAD PADV2
PRELU QUANTIZE REDUCE_MAX RELU RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SLICE
SOFTMAX SPLIT SQRT SQUARED_DIFFERENCE STRIDED_SLICE SUB SUM TANH TRANSPOSE TRANSPOSE_CONV"""
NEURAL = frozenset(_TAKEN.split())
"""Operations that MediaTek's compiler for NPUs takes."""
MOST_AXES = 4
"""The delegate's tensors are batch, height, width and channels."""


@dataclass(frozen=True)
class GpuFit:
    """What a model is made of, as the GPU delegate sees it.

    Attributes:
        operations: how many there are of each.
        unfriendly: why some cannot run on the GPU, in words; empty when all can.
        interpreted: those that XNNPACK leaves to the interpreter's own kernels.
    """

    operations: Counter[str]
    unfriendly: tuple[str, ...]
    interpreted: Counter[str]

    @property
    def not_neural(self) -> tuple[str, ...]:
        """Operations that an NPU's compiler does not take."""
        return tuple(sorted(self.operations.keys() - NEURAL))


def inspect(content: bytes) -> GpuFit:
    """Look into the content of a TFLite file.

    Raises:
        ModelError: if it cannot be loaded.
    """
    interpreter = load_interpreter(content)
    tensors = {t["index"]: t for t in interpreter.get_tensor_details()}
    nodes = [n for n in list_nodes(interpreter) if n["op_name"] != DELEGATE]
    made = {int(t) for node in nodes for t in node["outputs"]}
    made |= {int(t["index"]) for t in interpreter.get_input_details()}
    operations: Counter[str] = Counter()
    unfriendly: set[str] = set()
    for node in nodes:
        name = node["op_name"]
        inputs = [tensors[int(t)] for t in node["inputs"] if t >= 0]
        if name in WEIGHTS and all(t["dtype"].__name__ == "float16" for t in inputs):
            continue  # float16 weights: the delegate takes them as they are
        operations[name] += 1
        if name not in FRIENDLY:
            unfriendly.add(f"{name} is not an operation of the GPU delegate")
        for tensor in inputs + [tensors[int(t)] for t in node["outputs"]]:
            if int(tensor["index"]) not in made:
                continue  # a constant
            if tensor["dtype"].__name__ not in ("float32", "float16"):
                unfriendly.add(f"{name} works on {tensor['dtype'].__name__}")
            if len(tensor["shape"]) > MOST_AXES:
                unfriendly.add(f"{name} works on {len(tensor['shape'])} axes")
    return GpuFit(operations, tuple(sorted(unfriendly)), graph.inspect(content).others)


def inspect_folder(folder: Path) -> dict[str, GpuFit]:
    """The same of every network of our own in a folder, by name."""
    return {
        name: inspect((folder / entry.file).read_bytes())
        for name, entry in read_manifest(folder)[1].items()
        if name in DESCRIPTIONS
    }


def main(
    models: Annotated[Path | None, typer.Option(help="Folder of models.json.")] = None,
) -> None:
    """Show which of the models can run on a GPU from end to end."""
    with plain_errors():
        found = inspect_folder(models or Models().folder)
        Console().print(_table(found))
        wrong = [name for name in sorted(RUN_ON_GPU) if found[name].unfriendly]
        if wrong:
            raise RelightError(f"{', '.join(wrong)} cannot run on a GPU from end to end")


def _table(found: Mapping[str, GpuFit]) -> Table:
    headings = (
        "model",
        "operations",
        "CPU: beside XNNPACK",
        "GPU",
        "NPU lacks",
        "the library uses",
    )
    table = Table(*headings)
    for name, fit in found.items():
        table.add_row(
            name,
            _listed(fit.operations),
            _listed(fit.interpreted) or "nothing",
            "; ".join(fit.unfriendly) or "all of it",
            ", ".join(fit.not_neural) or "nothing",
            "GPU" if name in RUN_ON_GPU else "CPU",
        )
    return table


def _listed(operations: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(operations.items()))


if __name__ == "__main__":
    typer.run(main)
