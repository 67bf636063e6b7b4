# SPDX-License-Identifier: Apache-2.0
"""Other renderers, for comparison alone."""
