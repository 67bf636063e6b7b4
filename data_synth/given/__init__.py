# SPDX-License-Identifier: Apache-2.0
"""Heads that are given as files: a scan, and anybody's own."""
