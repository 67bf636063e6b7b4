# SPDX-License-Identifier: Apache-2.0
"""Keras networks to TFLite files: built-in operations only, batch 1, one named signature.

Inputs and outputs stay float32 in every precision, so that the files can be exchanged:

- float32 is the reference,
- float16 stores the weights in half the space; they are widened when the model is loaded,
- dynamic stores the larger layers' weights as int8, a scale for each channel, and XNNPACK quantises
  their inputs as they come, with a range of their own each time: half the size of float16 and, on
  processors with 8-bit dot products, nearly twice as fast,
- int8 quantises weights and activations, for accelerators that support nothing else.

Reference: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference".
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from export.error import ExportError
from export.quiet import quiet

Tensors = dict[str, NDArray[Any]]


class Precision(StrEnum):
    """How a TFLite file stores its numbers."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    DYNAMIC = "dynamic"
    INT8 = "int8"


def convert(model: keras.Model, precision: Precision, calibration: Sequence[Tensors] = ()) -> bytes:
    """The content of a TFLite file.

    Args:
        model: functional, inputs and outputs by name; its batch size is fixed to 1.
        precision: of the file.
        calibration: for int8: inputs by name, batch axis of 1 first, from which the ranges of all
            activations are read.

    Raises:
        ValueError: for int8 without calibration.
        ExportError: if TensorFlow cannot express the model in built-in operations.
    """
    if precision is Precision.INT8 and not calibration:
        raise ValueError("int8 needs calibration inputs")
    if keras.backend.backend() != "tensorflow":
        raise ExportError("export needs Keras on TensorFlow: unset KERAS_BACKEND")
    with quiet():  # the converter lists every tensor on stdout
        import tensorflow as tf

        converter = tf.lite.TFLiteConverter.from_keras_model(_batch_of_one(model))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if precision is not Precision.FLOAT32:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision is Precision.FLOAT16:
            converter.target_spec.supported_types = [tf.float16]
        elif precision is Precision.DYNAMIC:
            # Runtimes before TensorFlow 2.17 know dense layers of one scale only.
            converter._experimental_disable_per_channel_quantization_for_dense_layers = True
        elif precision is Precision.INT8:

            def representative() -> Iterator[Tensors]:
                for inputs in calibration:
                    yield {key: np.asarray(x, np.float32) for key, x in inputs.items()}

            converter.representative_dataset = representative
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        try:
            with warnings.catch_warnings():
                # Both are harmless: the calibration inputs come later, and the deprecated
                # interpreter is the one that TensorFlow's own calibrator uses.
                warnings.filterwarnings("ignore", "Statistics for quantized inputs", UserWarning)
                warnings.filterwarnings("ignore", r"\s+Warning: tf.lite.Interpreter", UserWarning)
                content = converter.convert()
        except Exception as error:  # the converter's own error has no public name
            raise ExportError(
                f"{model.name}: cannot be converted to {precision} ({_line(error)}); use"
                " operations that TFLite has built in"
            ) from error
    return bytes(content)


def _batch_of_one(model: keras.Model) -> keras.Model:
    """The same model with a fixed batch axis; its inputs a list, as the converter wants them."""
    inputs = {
        name: keras.Input(batch_shape=(1, *tensor.shape[1:]), name=name)
        for name, tensor in model.input.items()
    }
    return keras.Model(list(inputs.values()), model(inputs), name=model.name)


def _line(error: BaseException) -> str:
    """The first 200 characters of an error's message, on one line."""
    return " ".join(str(error).split())[:200]
