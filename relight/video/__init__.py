# SPDX-License-Identifier: Apache-2.0
"""Moving pictures: one light through a whole take, without flicker."""
