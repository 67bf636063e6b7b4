# SPDX-License-Identifier: Apache-2.0
"""From reflectance fields to training pairs."""
