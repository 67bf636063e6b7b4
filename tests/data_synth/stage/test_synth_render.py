# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

pytest.importorskip("embreex")

from synth_scene import PLAIN, ball, head, mesh, picture, shoot, subject, tuft, wall

from data_synth.stage.fibre import Opacity, frame
from data_synth.stage.raycast import Caster
from data_synth.stage.render import RenderSettings, Stage
from data_synth.stage.rig import Camera, Rig
from data_synth.stage.scattering import gather_matrix
from data_synth.subject import Material
from relight.geometry import direction

FULL = RenderSettings(size=48, bounce_rays=32)


@pytest.fixture(scope="module")
def rig():
    return Rig.make(96, 2)


def test_caster_meets_the_nearest_surface():
    shape = mesh(wall(z=0.0), ball((0, 0, 5), 1.0))
    caster = Caster(shape.vertices, shape.faces)
    origins = np.array([[0, 0, 20], [10, 0, 20], [99, 0, 20]], np.float32)
    down = np.tile(np.float32([[0, 0, -1]]), (3, 1))
    hits = caster.nearest(origins, down)
    np.testing.assert_allclose(hits.distance[:2], [14, 20], atol=0.02)
    assert np.isinf(hits.distance[2])
    assert hits.triangle[2] == -1
    np.testing.assert_allclose(hits.barycentric[:2].sum(1), 1, atol=1e-5)
    assert caster.occluded(origins, down).tolist() == [True, True, False]


# --- Known values


def test_lambert_sphere_in_uniform_light_has_its_albedo(rig):
    albedo = (0.7, 0.5, 0.3)
    view = shoot(subject(ball(), albedo=albedo), rig.lights)
    inside = view.alpha > 0.999
    result = picture(view, rig.solid_angles)[inside]
    np.testing.assert_allclose(result.mean(0), albedo, rtol=0.01)
    assert np.percentile(np.abs(result / albedo - 1), 98) < 0.03


def test_single_light_gives_the_cosine_over_pi():
    light = direction(0.5, 0.3)
    settings = RenderSettings(48, 4, light_radius=0.0, bounce_rays=0, scattering=False)
    view = shoot(subject(wall(), albedo=(0.5, 0.5, 0.5)), light[None], settings)
    expected = 0.5 * light[2] / np.pi
    np.testing.assert_allclose(picture(view, [1])[24, 24], expected, rtol=2e-3)


def test_constant_environment_is_the_ambient_render(rig):
    """Against the share of a cosine-weighted hemisphere that is open, by rays of their own."""
    person = subject(ball(rings=30), ball((0, -1, 9.5), 2.5, rings=20), ball((0, 9, 9), 3.0))
    view = shoot(person, rig.lights, camera=Camera(20, 10, field_cm=30))
    camera = Camera(20, 10, field_cm=30)
    caster = Caster(person.mesh.vertices, person.mesh.faces)
    row, column = np.nonzero(view.alpha > 0.999)
    rays = camera.rays(column + 0.5, row + 0.5, 48)
    hits = caster.nearest(np.broadcast_to(camera.position, rays.shape), rays)
    points = camera.position + rays * hits.distance[:, None]
    corners = person.mesh.faces[hits.triangle]
    normals = np.einsum("nk,nkc->nc", hits.barycentric, person.mesh.normals[corners])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    rng = np.random.default_rng(0)
    open_share = np.zeros(len(points))
    for _ in range(200):
        towards = normals + (lambda d: d / np.linalg.norm(d, axis=1, keepdims=True))(
            rng.standard_normal(normals.shape)
        )
        open_share += ~caster.occluded(points + normals * 0.03, towards)
    ambient = open_share[:, None] / 200 * np.array([0.5, 0.35, 0.25])
    result = picture(view, rig.solid_angles)[row, column]
    np.testing.assert_allclose(result.mean(0), ambient.mean(0), rtol=0.03)
    assert np.abs(result - ambient).mean() / ambient.mean() < 0.03


def test_shadow_of_an_occluder_lands_where_it_must():
    center, radius = np.array([-3.0, 2.0, 12.0]), 2.0
    light = direction(np.radians(-30), np.radians(25))
    camera = Camera(field_cm=40.0, distance_cm=400.0)
    settings = RenderSettings(96, 4, light_radius=0.005, bounce_rays=0, scattering=False)
    scene = subject(wall(), ball(center, radius, material=Material.CLOTH))
    result = picture(shoot(scene, light[None], settings, camera), [1])[..., 0]
    bare = picture(shoot(subject(wall()), light[None], settings, camera), [1])[..., 0]
    landing = center - light * (center[2] / light[2])
    expected = camera.project(landing[None], 96)[0]
    dark = 1 - result / bare
    rows, columns = np.mgrid[0:96, 0:96] + 0.5
    occluder = camera.project(center[None], 96)[0]
    dark[np.hypot(columns - occluder[0], rows - occluder[1]) < 7] = 0
    dark = np.where(dark > 0.5, 1, 0)
    found = np.array([(columns * dark).sum(), (rows * dark).sum()]) / dark.sum()
    np.testing.assert_allclose(found, expected, atol=0.6)
    # An ellipse: the ball's radius across, stretched by 1 / l.n along.
    area = np.pi * radius**2 / light[2] * (96 / 40) ** 2
    assert dark.sum() == pytest.approx(area, rel=0.12)


def test_left_and_right_mirror_each_other():
    light = direction(0.7, 0.3)
    lights = np.stack([light, light * [-1, 1, 1]]).astype(np.float32)
    view = shoot(head(), lights, FULL)
    left, right = picture(view, [1, 0]), picture(view, [0, 1])
    assert np.abs(left - right[:, ::-1]).mean() < 0.05 * left.mean()


def test_light_from_image_right_lights_image_right():
    view = shoot(head(), direction(np.radians([80.0]), 0.0))
    result = picture(view, [1])[..., 1]
    assert result[:, 24:].sum() > 5 * result[:, :24].sum()


# --- Invariants


def test_superposition_is_exact(rig):
    view = shoot(head(), rig.lights, FULL)
    rng = np.random.default_rng(1)
    a, b = rng.random((2, len(rig.lights)))
    np.testing.assert_allclose(
        picture(view, a + 2 * b), picture(view, a) + 2 * picture(view, b), rtol=1e-4, atol=1e-5
    )


def test_nothing_outside_coverage(rig):
    view = shoot(head(), rig.lights, FULL)
    empty = view.alpha == 0
    assert empty.any()
    assert set(np.flatnonzero(~empty)) == set(view.pixels)
    for image in (picture(view, rig.solid_angles), view.normals, view.albedo, view.depth):
        assert not image[empty].any()


def test_white_subject_never_returns_more_than_it_gets(rig):
    person = head(albedo=(1.0, 1.0, 1.0))
    view = shoot(person, rig.lights, RenderSettings(size=32, bounce_rays=64))
    result = picture(view, rig.solid_angles)
    assert result[view.alpha > 0.999].mean() < 1.0
    assert np.percentile(result, 99) < 1.05
    assert (view.olat >= 0).all()
    assert np.isfinite(view.olat).all()


def test_premultiplied_by_coverage(rig):
    view = shoot(subject(ball(), albedo=(0.6, 0.6, 0.6)), rig.lights)
    edge = (view.alpha > 0.2) & (view.alpha < 0.8)
    assert edge.sum() > 10
    result = picture(view, rig.solid_angles)[edge]
    np.testing.assert_allclose(result, 0.6 * view.alpha[edge][:, None].repeat(3, 1), rtol=0.06)


def test_normals_and_depth_are_in_the_cameras_frame():
    camera = Camera(35, 20, roll_deg=8, field_cm=30)
    view = shoot(subject(ball()), direction(0.0, 0.0)[None], camera=camera)
    np.testing.assert_allclose(view.normals[24, 24], [0, 0, 1], atol=0.05)
    assert view.depth[24, 24] == pytest.approx(101, abs=0.05)
    assert view.normals[24, 34, 0] > 0.4
    assert view.normals[14, 24, 1] > 0.4


def test_same_seed_same_picture(rig):
    first, second = (shoot(head(), rig.lights, FULL, seed=5) for _ in range(2))
    assert (first.olat == second.olat).all()
    other = shoot(head(), rig.lights, FULL, seed=6)
    assert (first.olat.shape != other.olat.shape) or (first.olat != other.olat).any()


def test_subject_out_of_the_picture_gives_an_empty_view(rig):
    camera = Camera(target=(500.0, 0.0, 0.0), field_cm=20)
    view = shoot(head(), rig.lights, FULL, camera)
    assert view.olat.shape == (3, 0, 96)
    assert not view.alpha.any()


def test_face_irradiance_of_a_lambert_sphere(rig):
    """Over the visible disk of a sphere, light from the camera has mean cosine 2/3."""
    person = subject(ball())
    view = shoot(person, direction(np.zeros(1), np.zeros(1)))
    assert 0.6 < view.face_irradiance[0] < 0.95
    view = shoot(person, rig.lights)
    assert view.face_irradiance @ rig.solid_angles == pytest.approx(np.pi, rel=0.02)


# --- Scattering and bounce


def test_scattering_keeps_even_light_and_spreads_red_farthest():
    size, pixel = 40, 0.2
    pixels = np.arange(size * size)
    y, x = np.divmod(pixels, size)
    positions = np.stack([x * pixel, -y * pixel, 0 * x], 1).astype(np.float32)
    edge = (x >= size // 2).astype(np.float32)
    widths = []
    for shape in (0.367, 0.137, 0.068):
        matrix = gather_matrix(pixels, positions, np.ones(size * size), size, pixel, shape)
        np.testing.assert_allclose(matrix @ np.ones(size * size), 1, atol=1e-5)
        row = (matrix @ edge).reshape(size, size)[size // 2]
        widths.append(np.abs(row - edge[:size]).sum())
        assert row[size // 2 - 1] < 0.5 < row[size // 2]
    assert widths[0] > 1.5 * widths[1] > 1.5 * widths[2]


def test_light_does_not_scatter_across_a_gap():
    pixels = np.arange(400)
    y, x = np.divmod(pixels, 20)
    positions = np.stack([x * 0.2, -y * 0.2, np.where(x < 10, 0, 8)], 1).astype(np.float32)
    matrix = gather_matrix(pixels, positions, np.ones(400), 20, 0.2, 0.367)
    spread = (matrix @ (x < 10).astype(np.float32)).reshape(20, 20)
    assert spread[10, 10] < 0.02


def test_terminator_is_redder_with_scattering():
    light = direction(np.radians([90.0]), 0.0)
    person = subject(ball(radius=4.0), albedo=(0.5, 0.5, 0.5))
    camera = Camera(field_cm=9.0)
    settings = RenderSettings(size=48, bounce_rays=0)
    view = shoot(person, light, settings, camera)
    shadow = picture(view, [1])[20:28, 20:24].mean((0, 1))
    assert shadow[0] > 2 * shadow[2]
    plain = picture(shoot(person, light, PLAIN, camera), [1])[20:28, 20:24].mean((0, 1))
    assert plain[0] == pytest.approx(plain[2], rel=1e-3)


def test_bounce_adds_light_where_surfaces_face_each_other():
    """A wall beside a floor-lit ball gains some; a lone convex ball gains nothing."""
    light = direction(0.0, 0.0)[None]
    settings = RenderSettings(size=32, bounce_rays=64, scattering=False)
    alone = subject(ball(), albedo=(0.8, 0.8, 0.8))
    with_bounce = picture(shoot(alone, light, settings), [1])
    without = picture(shoot(alone, light, PLAIN.__class__(size=32, bounce_rays=0)), [1])
    assert with_bounce.mean() == pytest.approx(without.mean(), rel=0.02)
    both = subject(ball((-4.6, 0, 0), 4.5), ball((4.6, 0, 0), 4.5), albedo=(0.8, 0.8, 0.8))
    off = RenderSettings(size=32, bounce_rays=0, scattering=False)
    gained = picture(shoot(both, light, settings), [1]) - picture(shoot(both, light, off), [1])
    assert gained[14:18, 14:18].mean() > 0.002
    assert gained[14:18, 14:18].mean() > 3 * gained[14:18, 3:8].mean()


# --- Fibres


def test_light_behind_fibres_is_dimmed():
    light = np.array([[0, 0, 1]], np.float32)
    opacity = Opacity([tuft()], light)
    points = np.array([[0, 0, 6], [0, 0, -6], [0, 0, 0], [12, 0, -6]], np.float32)
    front, behind, middle, beside = opacity.transmittance(0, points)
    assert front > 0.98
    assert beside == 1
    assert behind < 0.1
    assert behind < middle < front


def test_hair_shadow_falls_away_from_the_light():
    light = direction(np.radians([40.0]), 0.0)
    strands = tuft((0, 0, 6), count=1500, spread=1.0)
    person = subject(wall(), strands=[strands])
    settings = RenderSettings(size=64, bounce_rays=0, scattering=False, light_radius=0.01)
    view = shoot(person, light, settings, Camera(field_cm=40.0, distance_cm=400))
    result = picture(view, [1])[32, :, 0]
    landing = 32 + (-6 * np.tan(np.radians(40))) * 64 / 40
    assert result[round(landing)] < 0.3 * result[4]
    assert result[round(2 * 32 - landing)] > 0.8 * result[60]


def test_fibres_are_seen_and_partly_cover_their_pixels(rig):
    person = subject(ball(), strands=[tuft((0, 12, 0), count=60)])
    view = shoot(person, rig.lights)
    hair = view.hair > 0.5
    assert hair.any()
    assert ((view.alpha[hair] > 0) & (view.alpha[hair] < 1)).any()
    assert np.isfinite(view.olat).all()


def test_axes_across_a_light_are_orthonormal():
    for light in ([0, 1, 0], [0, 0, 1], [0.6, 0.0, -0.8]):
        axes = frame(np.array(light))
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
        np.testing.assert_allclose(axes[2], light, atol=1e-6)


def test_lights_never_share_their_noise(rig):
    """The same disk point under all lights would leave a pattern in every sum."""
    person = subject(wall(), ball((0, 0, 8), 3.0))
    lights = np.repeat(direction(0.2, 0.2)[None], 6, 0)
    view = Stage(person, lights, PLAIN).render(Camera(field_cm=40), np.random.default_rng(0))
    assert (view.olat[..., 0] != view.olat[..., 1]).any()
