# SPDX-License-Identifier: Apache-2.0
"""``relight serve``: the web page and the HTTP API on this machine."""
