# SPDX-License-Identifier: Apache-2.0
"""Photos as files: decoding, metadata, colour profiles, encoding."""
