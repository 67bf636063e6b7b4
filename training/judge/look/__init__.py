# SPDX-License-Identifier: Apache-2.0
"""What no mean error shows: how light looks, where its error sits and what could mend it."""
