# SPDX-License-Identifier: Apache-2.0
"""What people touch: the command line, and the server with its page."""
