# SPDX-License-Identifier: Apache-2.0
"""Rendering many views: plans, datasets, workers, costs."""
