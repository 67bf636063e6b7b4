# SPDX-License-Identifier: Apache-2.0
"""Skin: pigments, textures, make-up, wrinkles."""
