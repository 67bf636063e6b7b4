# SPDX-License-Identifier: Apache-2.0
"""The TFLite models that come with the package, and what runs them."""
