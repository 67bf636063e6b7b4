# SPDX-License-Identifier: Apache-2.0
"""What no mean error shows: how light looks, and whether a photo is looked at."""
