# SPDX-License-Identifier: Apache-2.0
"""From one Keras network to one verified TFLite file."""
