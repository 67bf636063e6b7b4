# SPDX-License-Identifier: Apache-2.0
"""Views and pairs in the formats of others: pictures, folders, shards, loaders."""
