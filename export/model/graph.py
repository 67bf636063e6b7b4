# SPDX-License-Identifier: Apache-2.0
"""What a TFLite model consists of: its operations, their cost, and what runs them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from relight.models.interpreter import load_interpreter

DELEGATE = "DELEGATE"
"""How the interpreter calls a group of nodes that XNNPACK runs."""
WEIGHTS = frozenset({"DEQUANTIZE"})
"""Nodes that only widen stored weights, once, on loading."""


@dataclass(frozen=True)
class Graph:
    """A model as the interpreter prepared it.

    Attributes:
        macs: multiply-accumulate operations of one run: convolutions and dense layers.
        parameters: numbers that the model stores.
        delegated: operations that XNNPACK runs, by name.
        others: operations left to the interpreter's own kernels, by name.
        groups: number of groups of delegated nodes; each costs a change between runtimes.
    """

    macs: int
    parameters: int
    delegated: Counter[str]
    others: Counter[str]
    groups: int


def inspect(content: bytes) -> Graph:
    """Look into the content of a TFLite file.

    Raises:
        ModelError: if it cannot be loaded.
    """
    interpreter = load_interpreter(content)
    nodes = list_nodes(interpreter)
    shapes = {t["index"]: tuple(t["shape"]) for t in interpreter.get_tensor_details()}
    groups = [node for node in nodes if node["op_name"] == DELEGATE]
    nodes = [node for node in nodes if node["op_name"] != DELEGATE]
    producers = {int(t): i for i, node in enumerate(nodes) for t in node["outputs"]}
    inside = _delegated(nodes, producers, groups)
    work = [i for i, node in enumerate(nodes) if node["op_name"] not in WEIGHTS]
    return Graph(
        macs=sum(_macs(node, shapes) for node in nodes),
        parameters=_parameters(interpreter, nodes, producers, shapes),
        delegated=Counter(nodes[i]["op_name"] for i in work if i in inside),
        others=Counter(nodes[i]["op_name"] for i in work if i not in inside),
        groups=len(groups),
    )


def list_nodes(interpreter: Any) -> list[dict[str, Any]]:
    """A model's nodes with the indices of their tensors, groups that a delegate runs among them."""
    # There is no public way to list nodes; both TFLite runtimes have this one.
    nodes: list[dict[str, Any]] = interpreter._get_ops_details()
    return nodes


def _delegated(
    nodes: list[dict[str, Any]], producers: dict[int, int], groups: list[dict[str, Any]]
) -> set[int]:
    """Nodes inside the groups: those on the way from a group's outputs back to its inputs."""
    inside: set[int] = set()
    for group in groups:
        stop = {int(t) for t in group["inputs"]}
        waiting = [int(t) for t in group["outputs"]]
        seen: set[int] = set()
        while waiting:
            tensor = waiting.pop()
            if tensor in stop or tensor in seen or tensor not in producers:
                continue
            seen.add(tensor)
            inside.add(producers[tensor])
            waiting.extend(int(t) for t in nodes[producers[tensor]]["inputs"])
    return inside


def _macs(node: dict[str, Any], shapes: dict[int, tuple[int, ...]]) -> int:
    """Multiply-accumulates of a convolution or a dense layer; 0 for others."""
    if node["op_name"] not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return 0
    weights, output = shapes[int(node["inputs"][1])], shapes[int(node["outputs"][0])]
    channels = weights[-1] if node["op_name"].startswith("DEPTHWISE") else weights[0]
    return int(np.prod(output) // channels * np.prod(weights))


def _parameters(
    interpreter: Any,
    nodes: list[dict[str, Any]],
    producers: dict[int, int],
    shapes: dict[int, tuple[int, ...]],
) -> int:
    """Sizes of the constant tensors that the nodes read, each once."""
    given = {t["index"] for t in interpreter.get_input_details()}
    read = {int(t) for node in nodes for t in node["inputs"] if t >= 0}
    return sum(int(np.prod(shapes[t])) for t in read - given - producers.keys())
