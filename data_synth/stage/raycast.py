# SPDX-License-Identifier: Apache-2.0
"""Rays against triangles, through Embree.

One caster holds one mesh. Calls run on the calling thread; the renderer uses several processes.

Reference:
    Wald et al. 2014, "Embree: A Kernel Framework for Efficient CPU Ray Tracing".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_synth.error import AssetError

Float = NDArray[np.float32]


class Hits(NamedTuple):
    """Where rays first meet the mesh.

    Attributes:
        distance: ``(N,)`` float32, infinite for a miss.
        triangle: ``(N,)`` int32, -1 for a miss.
        barycentric: ``(N, 3)`` float32 weights of the triangle's corners.
    """

    distance: Float
    triangle: NDArray[np.int32]
    barycentric: Float


class Caster:
    """A mesh that rays can be cast against.

    Args:
        vertices: ``(V, 3)``.
        faces: ``(F, 3)`` indices.
    """

    def __init__(self, vertices: NDArray[Any], faces: NDArray[Any]) -> None:
        try:
            from embreex.mesh_construction import TriangleMesh
            from embreex.rtcore_scene import EmbreeScene
        except ImportError as error:
            raise AssetError(
                "the ray caster is missing: install it with: pip install embreex scipy"
            ) from error
        self._scene: Any = EmbreeScene()
        self._mesh: Any = TriangleMesh(
            self._scene,
            np.ascontiguousarray(vertices, np.float32),
            np.ascontiguousarray(faces, np.int32),
        )

    def nearest(self, origins: NDArray[Any], directions: NDArray[Any]) -> Hits:
        """First hits of rays ``(N, 3)``; directions need not be unit, distances are in units."""
        found = self._run(origins, directions, "INTERSECT", output=True)
        triangle = found["primID"]
        distance = np.where(triangle >= 0, found["tfar"], np.float32(np.inf))
        u, v = found["u"], found["v"]
        return Hits(distance, triangle, np.stack([1 - u - v, u, v], 1))

    def occluded(self, origins: NDArray[Any], directions: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether rays ``(N, 3)`` hit anything."""
        result: NDArray[np.bool_] = self._run(origins, directions, "OCCLUDED") == 0
        return result

    def _run(self, origins: NDArray[Any], directions: NDArray[Any], query: str, **kw: Any) -> Any:
        return self._scene.run(
            np.ascontiguousarray(origins, np.float32),
            np.ascontiguousarray(directions, np.float32),
            query=query,
            **kw,
        )
