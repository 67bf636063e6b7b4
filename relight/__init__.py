# SPDX-License-Identifier: Apache-2.0
"""Open, on-device Portrait Light: adds a studio key light to portrait photos."""
