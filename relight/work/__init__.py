# SPDX-License-Identifier: Apache-2.0
"""Running one thing over many: threads, processes, Ray."""
