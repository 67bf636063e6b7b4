# SPDX-License-Identifier: Apache-2.0
"""A training step in JAX: gradients of the quotient's loss, Adam, and averaged weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras

from training.checkpoint import save_weights
from training.networks.weight_file import load_weights
from training.split import split_loss
from training.split.batch_picture import Arrays

Loss = Callable[[Arrays, Arrays, Arrays], tuple[Any, Arrays]]
"""Of variables, inputs and truth: the mean loss, and what tells of it."""


@dataclass(frozen=True)
class StepConfig:
    """How weights follow the gradients.

    Attributes:
        learning_rate: peak of a cosine.
        averaging: momentum of the averaged weights, which are what is kept.
        clip_norm: largest norm of a gradient.
    """

    learning_rate: float = 2e-3
    averaging: float = 0.998
    clip_norm: float = 1.0


class Pair:
    """Networks that give shading and key, as one function of their variables.

    Args:
        networks: by name; their outputs are ``log_shading`` and ``key``.
    """

    def __init__(self, networks: dict[str, keras.Model]) -> None:
        self.networks = networks

    def variables(self) -> Arrays:
        """Weights by network, in order."""
        return {
            name: [jnp.array(v.value, copy=True) for v in network.trainable_variables]
            for name, network in self.networks.items()
        }

    def load(self, folder: Path) -> None:
        """Take the weights of a former run.

        Raises:
            WeightsError: if a network's are missing or another's.
        """
        for name, network in self.networks.items():
            load_weights(network, folder / f"{name}.weights.h5")

    def run(self, name: str, variables: Arrays, inputs: Arrays) -> Any:
        """The only output of a network, with these variables."""
        network = self.networks[name]
        given = {tensor.name: inputs[tensor.name] for tensor in network.inputs}
        outputs, _ = network.stateless_call(variables[name], [], given)
        (found,) = outputs.values()
        return found

    def loss(self, variables: Arrays, inputs: Arrays, truth: Arrays) -> tuple[Any, Arrays]:
        """Mean loss of the quotient of both networks, and what tells of it.

        Args:
            variables: of both networks.
            inputs: of both by name, and ``level``; a face may have several keys, one after the
                other.
            truth: a row for each key, see :func:`training.split.split_loss.split_loss`.
        """
        keys = len(inputs["light"]) // len(inputs["photo"])

        def of_each_key(values: Any) -> Any:
            return jnp.repeat(values, keys, 0)

        shading = of_each_key(self.run("shading", variables, inputs))
        told = inputs | {name: of_each_key(inputs[name]) for name in ("normals", "face")}
        key = self.run("key", variables, told)
        small = of_each_key(linear_light(inputs["photo"]))
        level = of_each_key(inputs["level"])
        added = split_loss.added_light(shading, key, small, truth["linear"], level)
        found = {k: v.mean() for k, v in split_loss.figures(truth, added).items()}
        return split_loss.split_loss(truth, added).mean(), found

    def save(self, variables: Arrays, folder: Path) -> None:
        """Write each network's weights, ``<name>.weights.h5``; the networks keep them."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, network in self.networks.items():
            for v, value in zip(network.trainable_variables, variables[name], strict=True):
                v.assign(value)
            save_weights(network, folder / f"{name}.weights.h5")


def linear_light(photo: Any) -> Any:
    """An sRGB photo's linear light."""
    return jnp.where(photo <= 0.04045, photo / 12.92, ((photo + 0.055) / 1.055) ** 2.4)


def update_function(loss_of: Loss, config: StepConfig) -> Any:
    """A step on a batch: gradients of a loss, Adam, and averaged weights."""

    def update(state: Arrays, inputs: Arrays, truth: Arrays, rate: Any) -> Any:
        (loss, found), slopes = jax.value_and_grad(loss_of, has_aux=True)(
            state["weights"], inputs, truth
        )
        norm = jnp.sqrt(sum((g * g).sum() for g in jax.tree.leaves(slopes)))
        factor = jnp.minimum(1.0, config.clip_norm / (norm + 1e-9))
        factor = jnp.where(jnp.isfinite(norm), factor, 0.0)
        slopes = jax.tree.map(lambda g: jnp.nan_to_num(g) * factor, slopes)
        number = state["number"] + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["first"], slopes)
        second = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g * g, state["second"], slopes)
        fix1, fix2 = 1 - 0.9**number, 1 - 0.99**number
        weights = jax.tree.map(
            lambda w, m, v: w - rate * (m / fix1) / (jnp.sqrt(v / fix2) + 1e-8),
            state["weights"],
            first,
            second,
        )
        momentum = jnp.minimum(config.averaging, (1 + number) / (10 + number))
        mean = jax.tree.map(lambda a, w: momentum * a + (1 - momentum) * w, state["mean"], weights)
        fresh = {"weights": weights, "first": first, "second": second, "mean": mean}
        fresh["number"] = number
        return fresh, {"loss": loss, "norm": norm, **found}

    return jax.jit(update, donate_argnums=0)


def start(pair: Pair) -> Arrays:
    """The state before the first step."""
    weights = pair.variables()
    nothing = jax.tree.map(jnp.zeros_like, weights)
    copy = jax.tree.map(jnp.copy, weights)
    return {
        "weights": weights,
        "first": nothing,
        "second": jax.tree.map(jnp.copy, nothing),
        "mean": copy,
        "number": jnp.zeros((), jnp.float32),
    }


def rate_at(config: StepConfig, done: float) -> float:
    """A short rise, then a cosine, by the share of the time that is over."""
    rise = min(1.0, done / 0.03)
    fall = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return config.learning_rate * rise * (0.02 + 0.98 * fall)
