# SPDX-License-Identifier: Apache-2.0
"""What the numbers of pixels mean: ICC profiles, codes and numbers that tell colour."""
