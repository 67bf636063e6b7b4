# SPDX-License-Identifier: Apache-2.0
"""The key gain: fitted to the photo's edges, and applied."""
