# SPDX-License-Identifier: Apache-2.0
"""From trained models to the files the runtime ships, and their measurement."""
