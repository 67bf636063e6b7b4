# SPDX-License-Identifier: Apache-2.0
"""The networks, as Keras 3 models."""
