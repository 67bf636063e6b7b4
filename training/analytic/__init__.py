# SPDX-License-Identifier: Apache-2.0
"""Estimates without training, as yardsticks."""
