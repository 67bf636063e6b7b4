# SPDX-License-Identifier: Apache-2.0
"""Tiny subjects of known shape for the Light Stage's tests."""

from __future__ import annotations

import numpy as np

from data_synth.source import Source
from data_synth.stage.render import RenderSettings, Stage
from data_synth.stage.rig import Camera, Rig
from data_synth.subject import Material, Mesh, Strands, Subject, Texture

PLAIN = RenderSettings(size=48, samples=4, bounce_rays=0, scattering=False)
"""Neither scattering nor bounce: what geometry alone predicts."""


def texture(albedo, roughness=0.5, specular=0.0, height=None):
    one = np.ones((8, 8), np.float32)
    return Texture(
        one[..., None] * np.asarray(albedo, np.float32),
        one * np.float32(roughness),
        one * np.float32(specular),
        one * 0 if height is None else np.asarray(height, np.float32),
    )


def ball(center=(0, 0, 0), radius=9.0, material=Material.SKIN, rings=40):
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 2 * rings + 1), np.linspace(0, np.pi, rings + 1))
    normals = np.stack([np.sin(v) * np.sin(u), np.cos(v), np.sin(v) * np.cos(u)], -1)
    normals = normals.reshape(-1, 3).astype(np.float32)
    i, j = np.meshgrid(np.arange(rings), np.arange(2 * rings), indexing="ij")
    a = (i * (2 * rings + 1) + j).ravel()
    b, c = a + 1, a + 2 * rings + 1
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, c + 1], 1)])
    uv = np.stack([u.ravel() / (2 * np.pi), 1 - v.ravel() / np.pi], 1)
    vertices = normals * np.float32(radius) + np.asarray(center, np.float32)
    edge1, edge2 = (vertices[faces[:, k]] - vertices[faces[:, 0]] for k in (1, 2))
    faces = faces[np.linalg.norm(np.cross(edge1, edge2), axis=1) > 1e-6]
    return vertices, normals, faces, uv[faces], material


def wall(z=0.0, half=30.0, material=Material.SKIN):
    vertices = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32) * half
    vertices[:, 2] = z
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])[faces]
    return vertices, np.tile(np.float32([[0, 0, 1]]), (4, 1)), faces, uv, material


def mesh(*parts):
    vertices, normals, faces, uvs, materials, count = [], [], [], [], [], 0
    for vertex, normal, face, uv, material in parts:
        vertices.append(vertex)
        normals.append(normal)
        faces.append(face + count)
        uvs.append(uv)
        materials.append(np.full(len(face), material, np.uint8))
        count += len(vertex)
    return Mesh(
        np.concatenate(vertices).astype(np.float32),
        np.concatenate(normals).astype(np.float32),
        np.concatenate(faces).astype(np.int32),
        np.concatenate(uvs).astype(np.float32),
        np.concatenate(materials),
    )


def subject(*parts, albedo=(0.5, 0.35, 0.25), specular=0.0, strands=(), roughness=0.5, seed=0):
    shape = mesh(*parts)
    maps = {Material(m): texture(albedo, roughness, specular) for m in np.unique(shape.material)}
    return Subject(seed, "test", shape, maps, list(strands), {"skin": {"melanin": 0.1}})


def head(seed=0, specular=1.0, albedo=(0.5, 0.35, 0.25)):
    """A ball with a nose, mirror symmetric."""
    nose = ball((0, -1, 9.2), 1.6, rings=14)
    return subject(ball(rings=30), nose, specular=specular, albedo=albedo, seed=seed)


class ToySource(Source):
    """People who are balls with a nose, in place of the built-in ones."""

    name = "builtin"
    about = "balls with a nose"

    def make_subject(self, seed, **_):
        return head(seed=seed)


def tuft(center=(0.0, 0.0, 0.0), count=3000, spread=3.0, albedo=0.05):
    """Vertical fibres that fill a block."""
    rng = np.random.default_rng(0)
    root = np.asarray(center) + rng.uniform(-spread, spread, (count, 3))
    root[:, 1] = center[1] - 4
    steps = np.linspace(0, 8, 9)[None, :, None] * np.array([0, 1, 0])
    points = (root[:, None] + steps).astype(np.float32)
    radius = np.full(points.shape[:2], 0.03, np.float32)
    return Strands(points, radius, np.full((count, 3), albedo, np.float32))


def picture(view, weights):
    """``(S, S, 3)`` for weights ``(L,)``, straight from the floats."""
    size = view.alpha.shape[0]
    result = np.zeros((size * size, 3), np.float32)
    result[view.pixels] = np.einsum("cpl,l->pc", view.olat, np.asarray(weights, np.float32))
    return result.reshape(size, size, 3)


def shoot(person, lights, settings=PLAIN, camera=None, seed=0):
    stage = Stage(person, lights, settings)
    return stage.render(camera or Camera(field_cm=30.0), np.random.default_rng(seed))


def metadata(rig: Rig, camera: Camera):
    return {
        "subject": {"seed": 0, "source": "test", "attributes": {"skin": {"melanin": 0.1}}},
        "camera": {
            "azimuth_deg": camera.azimuth_deg,
            "rotation_right_up_back": camera.rotation.tolist(),
        },
        "lights_camera_frame": camera.to_camera(rig.lights).tolist(),
        "solid_angles_sr": rig.solid_angles.tolist(),
    }
