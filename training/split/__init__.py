# SPDX-License-Identifier: Apache-2.0
"""Training the shading and key networks together, samples and all on one GPU (JAX)."""
