# SPDX-License-Identifier: Apache-2.0
"""Running the same work on many items: in processes, or on a Ray cluster."""
