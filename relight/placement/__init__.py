# SPDX-License-Identifier: Apache-2.0
"""Where lights are placed: the automatic setup, the patterns, and light like a reference's."""
