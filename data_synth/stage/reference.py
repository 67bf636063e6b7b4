# SPDX-License-Identifier: Apache-2.0
"""A few pictures by Blender's Cycles, to judge the Light Stage's own against.

    pip install bpy 'portrait-relight[exr,synth]'
    python -m data_synth.stage.reference --assets DIR --seed 3 --out FOLDER

Cycles traces paths, walks light through skin at random and scatters it in hair fibres; it takes
minutes where the Light Stage takes a second, so it serves only here. Both renderers get the same
geometry, colours, lights and units (a sun of unit irradiance), without bumps.

References:
    https://docs.blender.org/api/current/info_advanced_blender_as_bpy.html (bpy). Chiang et al.
    2016, "Practical and Controllable Subsurface Scattering for Production Path Tracing".
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from data_synth.error import AssetError
from data_synth.registry import choose_source, parse_assets
from data_synth.stage.reflectance import FRESNEL
from data_synth.stage.render import RenderSettings, Stage, View
from data_synth.stage.rig import Camera
from data_synth.subject import Material, Strands, Subject
from relight.color import linear_to_srgb, to_uint8
from relight.error import RelightError
from relight.geometry import direction

Float = NDArray[np.float32]

LIGHTS_DEG = ((-45, 30), (70, 10), (10, 60))
"""Azimuth and elevation of the lights compared."""
SKIN_RADIUS = (1.0, 0.37, 0.18)
SKIN_SCALE_CM = 0.37
SHADOW = 0.3
"""A pixel lies in cast shadow when less than this share of the unshadowed light is left."""


@dataclass(frozen=True)
class Difference:
    """The Light Stage against Cycles under one light, over skin.

    Attributes:
        brightness: median ratio where lit, RGB.
        shadow_overlap: pixels in cast shadow by both over those by either.
        shadow_depth: mean light left in shadows that both see, over lit skin; ours, Cycles'.
        terminator: red over blue, albedo divided out, where the light grazes; ours, Cycles'.
        hair: ratio of the means over hair, RGB.
    """

    brightness: tuple[float, float, float]
    shadow_overlap: float
    shadow_depth: tuple[float, float]
    terminator: tuple[float, float]
    hair: tuple[float, float, float]


def compare(ours: Float, theirs: Float, view: View, light: Float, camera: Camera) -> Difference:
    """Measure how two pictures ``(S, S, 3)`` of the same skin differ under one light."""
    skin = (view.alpha > 0.99) & (view.hair < 0.01) & (view.albedo.min(2) > 0.01)
    # Cloth and eyes are told from skin by colour: skin's red exceeds its blue.
    skin &= view.albedo[..., 0] > 1.25 * view.albedo[..., 2]
    cosine = view.normals @ camera.to_camera(light)
    albedo = np.where(skin[..., None], view.albedo, 1)
    open_light = np.maximum(cosine, 1e-3)[..., None] * albedo / np.pi
    left = [np.where(skin[..., None], image / open_light, 0) for image in (ours, theirs)]
    facing = skin & (cosine > 0.25)
    dark = [facing & (share.mean(2) < SHADOW) for share in left]
    lit = facing & (left[0].mean(2) > 0.6) & (left[1].mean(2) > 0.6)
    ratio = np.median(ours[lit] / np.maximum(theirs[lit], 1e-6), 0)
    both, either = dark[0] & dark[1], dark[0] | dark[1]
    depth = [float(s[both].mean() / s[lit].mean()) if both.any() else 0.0 for s in left]
    edge = skin & (np.abs(cosine) < 0.15) & ~either
    tint = []
    for image in (ours, theirs):
        plain = (image / albedo)[edge].mean(0) if edge.any() else np.ones(3)
        tint.append(float(plain[0] / max(plain[2], 1e-6)))
    fibres = view.hair > 0.8
    hair = ours[fibres].mean(0) / theirs[fibres].mean(0) if fibres.any() else np.ones(3)
    return Difference(
        (float(ratio[0]), float(ratio[1]), float(ratio[2])),
        float(both.sum() / max(either.sum(), 1)),
        (depth[0], depth[1]),
        (tint[0], tint[1]),
        (float(hair[0]), float(hair[1]), float(hair[2])),
    )


class CyclesStage:
    """A subject in Blender.

    Args:
        subject: who.
        camera: that looks at it.
        size: side of the picture.
        samples: paths a pixel.
        scattering: whether light travels below the skin.
    """

    def __init__(
        self, subject: Subject, camera: Camera, size: int, samples: int, scattering: bool = True
    ) -> None:
        self._scattering = scattering
        try:
            bpy: Any = importlib.import_module("bpy")
        except ImportError as error:
            raise AssetError("Blender's module is missing: pip install bpy") from error
        self._bpy, self._math = bpy, importlib.import_module("mathutils")
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._scene = bpy.context.scene
        self._add_mesh(subject)
        for group in subject.strands:
            self._add_strands(group)
        self._add_camera(camera)
        self._set_up(size, samples)

    def seed(self, number: int) -> None:
        """Choose the random numbers of the next picture."""
        self._scene.cycles.seed = number

    def render(self, light: Float, radius: float, path: Path) -> Float:
        """Radiance ``(S, S, 3)`` under a sun of unit irradiance; ``path`` is a scratch .exr."""
        import OpenEXR

        bpy = self._bpy
        lamp = bpy.data.lights.new("sun", "SUN")
        lamp.energy, lamp.angle = 1.0, 2 * radius
        sun = bpy.data.objects.new("sun", lamp)
        self._scene.collection.objects.link(sun)
        sun.rotation_mode = "QUATERNION"
        sun.rotation_quaternion = self._math.Vector(_to_blender(light[None])[0]).to_track_quat(
            "Z", "Y"
        )
        self._scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        bpy.data.objects.remove(sun)
        with OpenEXR.File(str(path)) as file:
            channels = dict(file.channels())
            return np.asarray(next(iter(channels.values())).pixels[..., :3], np.float32)

    def _add_mesh(self, subject: Subject) -> None:
        bpy, mesh = self._bpy, subject.mesh
        shape = bpy.data.meshes.new("person")
        shape.from_pydata(_to_blender(mesh.vertices).tolist(), [], mesh.faces.tolist())
        shape.polygons.foreach_set("use_smooth", np.ones(len(mesh.faces), bool))
        layer = shape.uv_layers.new(name="UVMap")
        layer.data.foreach_set("uv", np.ascontiguousarray(mesh.uv, np.float32).ravel())
        slots = {kind: i for i, kind in enumerate(sorted(subject.textures))}
        for kind in slots:
            shape.materials.append(self._material(subject, kind))
        index = np.array([slots[Material(m)] for m in mesh.material], np.int32)
        shape.polygons.foreach_set("material_index", index)
        shape.normals_split_custom_set_from_vertices(_to_blender(mesh.normals).tolist())
        self._scene.collection.objects.link(bpy.data.objects.new("person", shape))

    def _material(self, subject: Subject, kind: Material) -> Any:
        texture = subject.textures[kind]
        material = self._bpy.data.materials.new(kind.name)
        material.use_nodes = True
        nodes, links = material.node_tree.nodes, material.node_tree.links
        base = next(n for n in nodes if n.type == "BSDF_PRINCIPLED")
        for name, values, space in (
            ("Base Color", texture.albedo, "Linear Rec.709"),
            ("Roughness", texture.roughness, "Non-Color"),
        ):
            node = nodes.new("ShaderNodeTexImage")
            node.image, node.extension = self._image(kind.name + name, values, space), "EXTEND"
            links.new(node.outputs[0], base.inputs[name])
        root = np.sqrt(FRESNEL[kind] * float(texture.specular.mean()))
        base.inputs["IOR"].default_value = (1 + root) / (1 - root)
        if self._scattering and kind in (Material.SKIN, Material.GUM):
            base.subsurface_method = "RANDOM_WALK_SKIN"
            base.inputs["Subsurface Weight"].default_value = 1.0
            base.inputs["Subsurface Radius"].default_value = SKIN_RADIUS
            base.inputs["Subsurface Scale"].default_value = SKIN_SCALE_CM
        return material

    def _image(self, name: str, values: Float, space: str) -> Any:
        rows, columns = values.shape[:2]
        pixels = np.ones((rows, columns, 4), np.float32)
        pixels[..., :3] = values if values.ndim == 3 else values[..., None]
        is_data = space == "Non-Color"
        image = self._bpy.data.images.new(name, columns, rows, float_buffer=True, is_data=is_data)
        image.colorspace_settings.name = space
        image.pixels.foreach_set(pixels[::-1].ravel())
        image.update()
        image.pack()
        return image

    def _add_strands(self, group: Strands) -> None:
        bpy = self._bpy
        material = bpy.data.materials.new("hair")
        material.use_nodes = True
        tree = material.node_tree
        tree.nodes.clear()
        shader = tree.nodes.new("ShaderNodeBsdfHairPrincipled")
        shader.parametrization = "COLOR"
        shader.inputs["Color"].default_value = (*group.albedo.mean(0).tolist(), 1)
        output = tree.nodes.new("ShaderNodeOutputMaterial")
        tree.links.new(shader.outputs[0], output.inputs[0])
        curves = bpy.data.hair_curves.new("hair")
        count, steps = group.points.shape[:2]
        curves.add_curves([steps] * count)
        curves.points.foreach_set("position", _to_blender(group.points.reshape(-1, 3)).ravel())
        curves.points.foreach_set("radius", np.asarray(group.radius, np.float32).ravel())
        curves.materials.append(material)
        self._scene.collection.objects.link(bpy.data.objects.new("hair", curves))

    def _add_camera(self, camera: Camera) -> None:
        data = self._bpy.data.cameras.new("camera")
        data.sensor_width, data.lens = 36.0, 36.0 * camera.distance_cm / camera.field_cm
        data.clip_end = 5000
        placed = self._bpy.data.objects.new("camera", data)
        pose = np.eye(4)
        pose[:3, :3] = _to_blender(camera.rotation.T).T
        pose[:3, 3] = _to_blender(camera.position[None])[0]
        placed.matrix_world = self._math.Matrix(pose.tolist())
        self._scene.collection.objects.link(placed)
        self._scene.camera = placed

    def _set_up(self, size: int, samples: int) -> None:
        scene = self._scene
        scene.render.engine = "CYCLES"
        scene.cycles.device, scene.cycles.samples = "CPU", samples
        scene.cycles.use_denoising, scene.cycles.max_bounces = False, 6
        scene.render.resolution_x = scene.render.resolution_y = size
        scene.render.film_transparent, scene.render.use_persistent_data = True, True
        scene.render.image_settings.file_format = "OPEN_EXR"
        scene.view_settings.view_transform = "Standard"
        # The factory world is grey; the stage is dark.
        world = self._bpy.data.worlds.new("dark")
        world.use_nodes = True
        world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.0
        scene.world = world


def _to_blender(points: NDArray[Any]) -> Float:
    """Rows ``(N, 3)`` from our frame to Blender's: z up, looking along y."""
    p = np.asarray(points, np.float32)
    return np.ascontiguousarray(np.stack([p[:, 0], -p[:, 2], p[:, 1]], 1))


def run(
    out: Annotated[Path, typer.Option(help="Folder of the pictures.")],
    assets: Annotated[
        list[str] | None, typer.Option(help="Files of a source, as NAME=DIR; else a built-in head.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 3,
    size: Annotated[int, typer.Option(min=32, max=1024)] = 192,
    samples: Annotated[int, typer.Option(min=1, help="Paths a pixel.")] = 64,
) -> None:
    """Render one person by both renderers, save them side by side, print the differences."""
    import cv2

    source, folder = choose_source(None, parse_assets(assets or []))
    person = source.make_subject(seed, assets=folder)
    smooth = {k: replace(t, height=np.zeros_like(t.height)) for k, t in person.textures.items()}
    person = replace(person, textures=smooth)
    lights = np.stack([direction(np.radians(a), np.radians(e)) for a, e in LIGHTS_DEG])
    settings = RenderSettings(size=size, samples=9)
    stage = Stage(person, lights, settings)
    face = stage.body.face_points
    middle = (face.min(0) + face.max(0)) / 2
    camera = Camera(15, 5, field_cm=40, target=(0.0, float(middle[1]), float(middle[2])))
    view = stage.render(camera, np.random.default_rng(seed))
    cycles = CyclesStage(person, camera, size, samples)
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for i, light in enumerate(lights):
        ours = np.zeros((size * size, 3), np.float32)
        ours[view.pixels] = view.olat[..., i].T
        ours = ours.reshape(size, size, 3)
        theirs = cycles.render(light, settings.light_radius, out / f"cycles-{i}.exr")
        typer.echo(f"{LIGHTS_DEG[i]}: {compare(ours, theirs, view, light, camera)}")
        rows.append(np.concatenate([ours, theirs], 1))
    sheet = to_uint8(linear_to_srgb(np.concatenate(rows, 0) * 2.5))
    _, data = cv2.imencode(".png", np.ascontiguousarray(sheet[..., ::-1]))
    (out / "reference.png").write_bytes(data.tobytes())


def main() -> None:
    """Run the command; an expected failure is one line on stderr."""
    try:
        typer.run(run)
    except RelightError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
