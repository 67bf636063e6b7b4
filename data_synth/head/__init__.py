# SPDX-License-Identifier: Apache-2.0
"""Heads: sources of shape, eyes and mouth."""
