# SPDX-License-Identifier: Apache-2.0
"""Scalp hair, brows and beards."""
