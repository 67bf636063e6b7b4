# SPDX-License-Identifier: Apache-2.0
"""What the camera sees: the points of a subject that are shaded under every light.

Primary rays are many (they are cheap and make clean edges); from the hits of a pixel a few are kept
for shading, drawn in proportion over its surfaces, so that coverage stays exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.stage.fibre import Ribbons
from data_synth.stage.raycast import Caster
from data_synth.stage.reflectance import FRESNEL
from data_synth.stage.rig import Camera
from data_synth.stage.texture import Pyramid
from data_synth.stage.tuft import Tufts, choose_hits, gather_tufts
from data_synth.subject import Material, Subject
from relight.geometry import normalize

Float = NDArray[np.float32]

HAIR = 255
"""Stands for fibres where others name a :class:`Material`."""
PRIMARY = 4
"""Primary rays per pixel along each side."""
MAX_SLOPE = 0.5


@dataclass(frozen=True)
class Samples:
    """Points to shade, sorted by pixel; ``N`` of them.

    Attributes:
        pixel: ``(N,)`` flat index in the picture.
        weight: ``(N,)`` share of the pixel that the point stands for.
        stratum: ``(N,)`` in [0, 1), evenly spread over the points of one pixel.
        material: ``(N,)`` uint8, :class:`Material` or :data:`HAIR`.
        position: ``(N, 3)`` head frame, cm.
        normal: ``(N, 3)`` smooth.
        bumped: ``(N, 3)`` with the texture's height.
        facing: ``(N, 3)`` of the triangle itself, turned to the outside.
        view: ``(N, 3)`` towards the camera.
        tangent: ``(N, 3)`` of fibres, zero elsewhere.
        spread: ``(N,)`` variance of the fibres' direction, radians squared; zero elsewhere.
        albedo: ``(N, 3)``.
        alpha: ``(N,)`` GGX width, bumps and curvature within the pixel included.
        f0: ``(N,)`` reflectance at normal incidence.
        origin: ``(N, 3)`` where shadow rays start.
        triangle: ``(N,)`` of the mesh, -1 for fibres.
        barycentric: ``(N, 3)``.
        distance: ``(N,)`` along the camera's axis, cm.
    """

    pixel: NDArray[np.int64]
    weight: Float
    stratum: Float
    material: NDArray[np.uint8]
    position: Float
    normal: Float
    bumped: Float
    facing: Float
    view: Float
    tangent: Float
    spread: Float
    albedo: Float
    alpha: Float
    f0: Float
    origin: Float
    triangle: NDArray[np.int32]
    barycentric: Float
    distance: Float


class Body:
    """A subject made ready for rays: casters, texture pyramids, measures of its triangles."""

    def __init__(self, subject: Subject) -> None:
        mesh = subject.mesh
        self.subject = subject
        self.mesh = mesh
        self.caster = Caster(mesh.vertices, mesh.faces)
        self.pyramids = {m: Pyramid(t) for m, t in subject.textures.items()}
        self.strands = [g for g in subject.strands if len(g.points)]
        corner = mesh.vertices[mesh.faces].astype(np.float64)
        self.edge1 = (corner[:, 1] - corner[:, 0]).astype(np.float32)
        self.edge2 = (corner[:, 2] - corner[:, 0]).astype(np.float32)
        cross = np.cross(self.edge1, self.edge2)
        self.facing = normalize(cross)
        uv1, uv2 = mesh.uv[:, 1] - mesh.uv[:, 0], mesh.uv[:, 2] - mesh.uv[:, 0]
        self.uv1, self.uv2 = uv1, uv2
        uv_area = np.abs(uv1[:, 0] * uv2[:, 1] - uv1[:, 1] * uv2[:, 0])
        area = np.linalg.norm(cross, axis=1)
        self.cm_per_uv: Float = np.sqrt(area / np.maximum(uv_area, 1e-12)).astype(np.float32)
        self.curvature = _curvature(corner, mesh.normals[mesh.faces])
        self.center = np.array([0.0, 4.0, 0.0], np.float32)

    @property
    def face_points(self) -> Float:
        """``(N, 3)`` points that span the face as the landmarks of a face mesh do."""
        given = self.subject.face_points
        if given is not None and len(given) == 68:
            # The 68-point scheme ends at the brows, a face mesh below the hairline: at 0.39 of the
            # distance from chin to nasion above the nasion, by MediaPipe's on rendered heads.
            return np.concatenate([given, given[27:28] * 1.39 - given[8:9] * 0.39])
        if given is not None:
            return given
        used = np.unique(self.mesh.faces[self.mesh.material == Material.SKIN])
        if not len(used):
            return self.mesh.vertices
        points, normals = self.mesh.vertices[used], self.mesh.normals[used]
        front = (normals[:, 2] > 0.15) & (np.abs(points[:, 0]) < 7.5) & (points[:, 2] > 2)
        front &= (points[:, 1] > -9) & (points[:, 1] < 9)
        return points[front] if front.any() else points

    def look_up(
        self, triangle: NDArray[Any], barycentric: Float, footprint_cm: NDArray[Any]
    ) -> tuple[Float, Float, Float, Float, Float]:
        """Texture at points of the mesh.

        Args:
            triangle: ``(N,)``.
            barycentric: ``(N, 3)``.
            footprint_cm: ``(N,)`` width that each point stands for.

        Returns:
            albedo ``(N, 3)``, roughness ``(N,)``, specular ``(N,)``, slope as a vector in space
            ``(N, 3)``, variance of the slope ``(N,)``.
        """
        mesh = self.mesh
        count = len(triangle)
        albedo = np.full((count, 3), 0.5, np.float32)
        rough, specular = np.full(count, 0.6, np.float32), np.ones(count, np.float32)
        gradient, variance = np.zeros((count, 3), np.float32), np.zeros(count, np.float32)
        material = mesh.material[triangle]
        for kind, pyramid in self.pyramids.items():
            chosen = np.flatnonzero(material == kind)
            if not len(chosen):
                continue
            face = triangle[chosen]
            uv = np.einsum("nk,nkc->nc", barycentric[chosen], mesh.uv[face])
            scale = self.cm_per_uv[face]
            found = pyramid.sample(uv, footprint_cm[chosen] / np.maximum(scale, 1e-6))
            albedo[chosen], rough[chosen] = found.albedo, found.roughness
            specular[chosen] = found.specular
            gradient[chosen] = self._gradient(face, found.slope)
            variance[chosen] = found.variance / np.maximum(scale, 1e-6) ** 2
        return albedo, rough, specular, gradient, variance

    def _gradient(self, face: NDArray[Any], slope: Float) -> Float:
        """Slope per unit of uv to the gradient in space, through the triangle's metric."""
        e1, e2 = self.edge1[face], self.edge2[face]
        h1, h2 = (self.uv1[face] * slope).sum(1), (self.uv2[face] * slope).sum(1)
        a11, a12, a22 = (e1 * e1).sum(1), (e1 * e2).sum(1), (e2 * e2).sum(1)
        determinant = np.maximum(a11 * a22 - a12 * a12, 1e-12)
        c1 = (a22 * h1 - a12 * h2) / determinant
        c2 = (a11 * h2 - a12 * h1) / determinant
        return c1[:, None] * e1 + c2[:, None] * e2

    def smooth_origin(self, triangle: NDArray[Any], barycentric: Float, point: Float) -> Float:
        """Points moved from flat triangles to the round surface that their normals suggest.

        Without it coarse triangles shadow themselves near the terminator.

        Reference:
            Hanika 2021, "Hacking the Shadow Terminator", Ray Tracing Gems II, chapter 4.
        """
        corners = self.mesh.faces[triangle]
        moved = np.zeros_like(point)
        for k in range(3):
            vertex, normal = self.mesh.vertices[corners[:, k]], self.mesh.normals[corners[:, k]]
            below = np.minimum(((point - vertex) * normal).sum(1), 0)
            moved -= (barycentric[:, k] * below)[:, None] * normal
        return point + moved


def capture(
    body: Body, camera: Camera, size: int, samples: int, rng: np.random.Generator
) -> Samples:
    """Find the points of a subject that a camera sees.

    Args:
        body: the subject.
        camera: that looks at it.
        size: side of the picture in pixels.
        samples: points to shade per pixel at most.
        rng: places the rays within their pixels.
    """
    number = PRIMARY * PRIMARY
    row, column, part = np.meshgrid(
        np.arange(size), np.arange(size), np.arange(number), indexing="ij"
    )
    jitter = rng.random((2, *row.shape), np.float32)
    x = (column + (part % PRIMARY + jitter[0]) / PRIMARY).ravel()
    y = (row + (part // PRIMARY + jitter[1]) / PRIMARY).ravel()
    rays = camera.rays(x, y, size)
    origins = np.broadcast_to(camera.position, rays.shape)
    solid = body.caster.nearest(origins, rays)
    distance, material = solid.distance, np.zeros(len(rays), np.uint8)
    hit = np.isfinite(distance)
    material[hit] = body.mesh.material[solid.triangle[hit]]
    piece = np.full(len(rays), -1, np.int64)
    tufts = None
    if body.strands:
        ribbons = Ribbons(body.strands, camera.position)
        fibres = Caster(ribbons.vertices, ribbons.faces).nearest(origins, rays)
        nearer = fibres.distance < distance
        piece[nearer] = fibres.triangle[nearer] // 2
        material[nearer] = HAIR
        distance = np.where(nearer, fibres.distance, distance)
        hit |= nearer
    hits = np.flatnonzero(hit)
    depth = np.where(piece[hits] >= 0, distance[hits], 0)
    hits = hits[np.lexsort((depth, material[hits], hits // number))]
    chosen, pixel, weight, stratum = choose_hits(
        hits, piece[hits] >= 0, number, samples, float(rng.random())
    )
    ray = rays[chosen]
    depth = distance[chosen]
    if body.strands:
        met, kept = hits[piece[hits] >= 0], np.flatnonzero(piece[chosen] >= 0)
        tufts = gather_tufts(
            ribbons, piece[met], distance[met], met // number, pixel[kept], depth[kept]
        )
        depth[kept] = tufts.distance
    position = camera.position + ray * depth[:, None]
    footprint = camera.field_cm / size / np.sqrt(samples)
    return _describe(
        body,
        tufts,
        pixel=pixel,
        weight=weight,
        stratum=stratum,
        material=material[chosen],
        position=position,
        view=-ray,
        triangle=np.where(piece[chosen] >= 0, -1, solid.triangle[chosen]).astype(np.int32),
        barycentric=solid.barycentric[chosen],
        distance=-((position - camera.position) @ camera.rotation[:, 2]),
        footprint=footprint,
    )


def _describe(
    body: Body,
    tufts: Tufts | None,
    *,
    material: NDArray[np.uint8],
    position: Float,
    view: Float,
    triangle: NDArray[np.int32],
    barycentric: Float,
    footprint: float,
    **others: Any,
) -> Samples:
    """Fill in normals, colours and gloss of the chosen points."""
    count = len(material)
    normal, facing = np.zeros((count, 3), np.float32), np.zeros((count, 3), np.float32)
    bumped, tangent = np.zeros((count, 3), np.float32), np.zeros((count, 3), np.float32)
    spread = np.zeros(count, np.float32)
    albedo, alpha = np.zeros((count, 3), np.float32), np.full(count, 0.5, np.float32)
    f0, origin = np.zeros(count, np.float32), position.copy()

    solid = np.flatnonzero(triangle >= 0)
    face, weights = triangle[solid], barycentric[solid]
    smooth = normalize(np.einsum("nk,nkc->nc", weights, body.mesh.normals[body.mesh.faces[face]]))
    flat = body.facing[face]
    flat = np.where((flat * smooth).sum(1, keepdims=True) < 0, -flat, flat)
    cosine = np.maximum((smooth * view[solid]).sum(1), 0.15)
    seen = np.full(len(solid), footprint) / np.sqrt(cosine)
    color, rough, specular, gradient, variance = body.look_up(face, weights, seen)
    steep = np.sqrt((gradient**2).sum(1, keepdims=True))
    gradient *= np.minimum(1, MAX_SLOPE / np.maximum(steep, 1e-6))
    normal[solid], facing[solid] = smooth, flat
    bumped[solid] = normalize(smooth - gradient)
    # Bumps and curvature inside the footprint widen the lobe: alpha^2 grows by twice the variance
    # of the slope (Tokuyoshi and Kaplanyan 2019).
    bend = (body.curvature[face] * seen) ** 2 / 12
    wide = np.sqrt(rough**4 + 2 * np.minimum(variance + bend, 0.2))
    alpha[solid] = np.clip(wide, 0.02, 1)
    albedo[solid] = np.clip(color, 0, 1)
    table = np.zeros(256, np.float32)
    for kind, value in FRESNEL.items():
        table[kind] = value
    f0[solid] = np.clip(table[material[solid]] * specular, 0, 0.95)
    origin[solid] = body.smooth_origin(face, weights, position[solid]) + flat * 0.03

    hair = np.flatnonzero(triangle < 0)
    if len(hair) and tufts is not None:
        tangent[hair], spread[hair], albedo[hair] = tufts.tangent, tufts.spread, tufts.albedo
        outward = shell_normal(position[hair], body.center)
        outward -= (outward * tangent[hair]).sum(1, keepdims=True) * tangent[hair]
        outward = normalize(outward + 0.3 * view[hair])
        normal[hair] = bumped[hair] = facing[hair] = outward
    return Samples(
        material=material,
        position=position,
        normal=normal,
        bumped=bumped,
        facing=facing,
        view=view,
        tangent=tangent,
        spread=spread,
        albedo=albedo,
        alpha=alpha,
        f0=f0,
        origin=origin,
        triangle=triangle,
        barycentric=barycentric,
        **others,
    )


def shell_normal(points: Float, center: Float) -> Float:
    """Outward directions ``(N, 3)`` of the shell that hair forms around head and neck."""
    axis = np.repeat(center[None], len(points), 0)
    axis[:, 1] = np.clip(points[:, 1], -8, center[1])
    return normalize(points - axis)


def _curvature(corner: NDArray[Any], normal: NDArray[Any]) -> Float:
    """Change of the normal per cm over each triangle, ``(F,)``."""
    total = np.zeros(len(corner))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        turn = np.linalg.norm(normal[:, a] - normal[:, b], axis=1)
        length = np.linalg.norm(corner[:, a] - corner[:, b], axis=1)
        total += turn / np.maximum(length, 1e-4)
    return (total / 3).astype(np.float32)
