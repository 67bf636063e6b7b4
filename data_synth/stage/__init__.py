# SPDX-License-Identifier: Apache-2.0
"""The stage itself: the rig, the camera and the renderer."""
