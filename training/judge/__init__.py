# SPDX-License-Identifier: Apache-2.0
"""Judging the stages on real and on synthetic people."""
