# SPDX-License-Identifier: Apache-2.0
"""Training and evaluation of the lighting, normals and quotient stages."""
