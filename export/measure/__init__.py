# SPDX-License-Identifier: Apache-2.0
"""Latency, memory and where they are written down."""
