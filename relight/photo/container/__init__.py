# SPDX-License-Identifier: Apache-2.0
"""Files as boxes, chunks and directories, where the libraries are not enough."""
