# SPDX-License-Identifier: Apache-2.0
"""The virtual Light Stage: synthetic people rendered one light at a time (OLAT)."""
