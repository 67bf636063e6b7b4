# SPDX-License-Identifier: Apache-2.0
"""A subject in Mitsuba 3: the same geometry, colours and lights, traced path by path.

Skin is a principled surface without scattering below it, and fibres are left out: what is compared
with it has neither.

Reference:
    https://mitsuba.readthedocs.io (``mesh_io``: meshes from arrays; ``principled``, ``path``).
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import AssetError
from data_synth.stage.rig import Camera
from data_synth.subject import Material, Subject

Float = NDArray[np.float32]

VARIANT = "scalar_rgb"
"""The variant that every installation has; one thread's work is what counts."""
DEPTH = 3
"""Light, surface, surface, camera: one bounce."""


LAMP = "lamp"


class MitsubaStage:
    """A subject in Mitsuba.

    Args:
        subject: who; fibres are ignored.
        camera: that looks at it.
        size: side of the picture.
        samples: paths a pixel.

    Raises:
        AssetError: Mitsuba is not installed.
    """

    def __init__(self, subject: Subject, camera: Camera, size: int, samples: int) -> None:
        try:
            self._mi: Any = importlib.import_module("mitsuba")
        except ImportError as error:
            raise AssetError("Mitsuba is missing: pip install mitsuba") from error
        self._mi.set_variant(VARIANT)
        self._samples, self._size = samples, size
        parts = {
            Material(kind).name.lower(): self._mesh(subject, Material(kind))
            for kind in np.unique(subject.mesh.material)
        }
        self._scene = self._mi.load_dict(
            {
                "type": "scene",
                "integrator": {"type": "path", "max_depth": DEPTH},
                "sensor": self._sensor(camera),
                LAMP: {
                    "type": "directional",
                    "direction": [0.0, 0.0, -1.0],
                    "irradiance": {"type": "rgb", "value": [1.0, 1.0, 1.0]},
                },
                **parts,
            }
        )

    def render(self, light: Float, seed: int) -> Float:
        """Radiance ``(S, S, 3)`` under a lamp far away of unit irradiance."""
        values = self._mi.traverse(self._scene)  # the scene's search tree is kept
        values[f"{LAMP}.to_world"] = self._mi.ScalarTransform4f().look_at(
            origin=[0.0, 0.0, 0.0],
            target=[-float(x) for x in light],
            up=[1.0, 0.0, 0.0] if abs(light[1]) > 0.9 else [0.0, 1.0, 0.0],
        )
        values.update()
        picture = self._mi.render(self._scene, spp=self._samples, seed=seed)
        return np.asarray(picture, np.float32)[..., :3]

    def _mesh(self, subject: Subject, kind: Material) -> Any:
        mi, mesh = self._mi, subject.mesh
        chosen = mesh.faces[mesh.material == kind]
        corners = chosen.ravel()  # a vertex of its own for each corner, as coordinates are
        about = mi.Properties()
        about["surface"] = mi.load_dict(self._surface(subject, kind))
        made = mi.Mesh(
            kind.name.lower(),
            vertex_count=len(corners),
            face_count=len(chosen),
            has_vertex_normals=True,
            has_vertex_texcoords=True,
            props=about,
        )
        values = mi.traverse(made)
        values["vertex_positions"] = mesh.vertices[corners].ravel()
        values["vertex_normals"] = mesh.normals[corners].ravel()
        uv = mesh.uv[mesh.material == kind]
        values["vertex_texcoords"] = np.stack([uv[..., 0], 1 - uv[..., 1]], -1).ravel()
        values["faces"] = np.arange(len(corners), dtype=np.uint32)
        values.update()
        return made

    def _surface(self, subject: Subject, kind: Material) -> dict[str, Any]:
        texture = subject.textures[kind]

        def bitmap(pixels: Float) -> dict[str, Any]:
            stored = np.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[..., None])
            return {"type": "bitmap", "bitmap": self._mi.Bitmap(stored), "raw": True}

        principled = {
            "type": "principled",
            "base_color": bitmap(texture.albedo),
            "roughness": bitmap(texture.roughness),
        }
        return {"type": "twosided", "surface": principled}

    def _sensor(self, camera: Camera) -> Any:
        mi = self._mi
        up = camera.rotation[:, 1]
        place = mi.ScalarTransform4f().look_at(
            origin=[float(x) for x in camera.position],
            target=[float(x) for x in camera.target],
            up=[float(x) for x in up],
        )
        angle = 2 * np.degrees(np.arctan(0.5 * camera.field_cm / camera.distance_cm))
        return mi.load_dict(
            {
                "type": "perspective",
                "fov": float(angle),
                "to_world": place,
                "film": {
                    "type": "hdrfilm",
                    "width": self._size,
                    "height": self._size,
                    "pixel_format": "rgb",
                    "rfilter": {"type": "box"},
                },
                "sampler": {"type": "independent"},
            }
        )
