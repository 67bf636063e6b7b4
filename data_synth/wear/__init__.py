# SPDX-License-Identifier: Apache-2.0
"""Clothes, headwear, glasses and earrings."""
