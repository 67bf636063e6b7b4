# SPDX-License-Identifier: Apache-2.0
"""Samples of the shading and key networks from real portraits, and training on them."""
