# SPDX-License-Identifier: Apache-2.0
"""Golden vectors, by stage."""
