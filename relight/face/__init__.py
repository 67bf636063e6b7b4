# SPDX-License-Identifier: Apache-2.0
"""Faces: where they are, their landmarks, pose and mesh."""
