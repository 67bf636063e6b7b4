# SPDX-License-Identifier: Apache-2.0
"""What is estimated of a face, and the networks that estimate it."""
