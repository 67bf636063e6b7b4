# SPDX-License-Identifier: Apache-2.0
"""Mixed precision: convolutions in bfloat16, weights and the light's physics in float32.

bfloat16 has float32's range, so losses need no scaling. CPUs compute it many times slower than
float32, so it is only for GPUs.
"""

from __future__ import annotations

import keras

from relight.error import RelightError
from training.networks.light_layer import PACKAGE

LEAST_CAPABILITY = (8, 0)
"""Compute capability of the first NVIDIA GPUs with bfloat16 (CUDA programming guide, table of
arithmetic throughput)."""


class PrecisionError(RelightError):
    """Mixed precision is not possible, or would be slower."""


def require_mixed() -> None:
    """Check that every GPU computes bfloat16.

    Raises:
        PrecisionError: if there is no GPU, or one cannot.
    """
    if keras.backend.backend() != "tensorflow":
        raise PrecisionError("--mixed-precision needs TensorFlow; set KERAS_BACKEND=tensorflow")
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        raise PrecisionError(
            "--mixed-precision: there is no GPU here; leave it out, CPUs are slower"
        )
    for gpu in gpus:
        details = tf.config.experimental.get_device_details(gpu)
        if details.get("compute_capability", (0, 0)) < LEAST_CAPABILITY:
            name = details.get("device_name", gpu.name)
            raise PrecisionError(f"--mixed-precision: {name} has no bfloat16; leave it out")


def mix(network: keras.Model) -> None:
    """Compute Keras's own layers in bfloat16, in place; this package's layers stay in float32.

    Those are the physical ones, whose exponentials, norms and fits need float32.
    """
    for layer in network.layers:
        own = keras.saving.get_registered_name(type(layer)).startswith(f"{PACKAGE}>")
        if not own and not isinstance(layer, keras.layers.InputLayer):
            layer.dtype_policy = "mixed_bfloat16"
