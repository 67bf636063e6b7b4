# SPDX-License-Identifier: Apache-2.0
"""Whether a phone's GPU can run all of a shipped model: ``python -m export.gpu``.

A single operation that TFLite's GPU delegate lacks splits a model into parts, with data copied from
GPU to CPU and back in between; so a model that is meant for the GPU must have none.

Reference: TensorFlow 2.16, ``tensorflow/lite/delegates/gpu/common/model_builder.cc``, the
operations that it builds.
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
MOST_AXES = 4
"""The delegate's tensors are batch, height, width and channels."""


@dataclass(frozen=True)
class GpuFit:
    """What a model is made of, as the GPU delegate sees it.

    Attributes:
        operations: how many there are of each.
        unfriendly: why some cannot run on the GPU, in words; empty when all can.
    """

    operations: Counter[str]
    unfriendly: tuple[str, ...]


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
    return GpuFit(operations, tuple(sorted(unfriendly)))


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
    table = Table("model", "operations", "runs on a GPU", "the library runs it on")
    for name, fit in found.items():
        listed = ", ".join(f"{key} {count}" for key, count in sorted(fit.operations.items()))
        verdict = "; ".join(fit.unfriendly) or "yes"
        table.add_row(name, listed, verdict, "GPU" if name in RUN_ON_GPU else "CPU")
    return table


if __name__ == "__main__":
    typer.run(main)
