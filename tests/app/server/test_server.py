# SPDX-License-Identifier: Apache-2.0
"""``relight serve``: photos relit over HTTP, and everything else refused in words."""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
from conftest import ASTRONAUT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from relight_app.server.application import create_app
from relight_app.server.gate import LOOPBACK
from relight_app.server.order import MEDIA_TYPES, Limits
from serving import Server

from relight import Light, Relighter, load_photo
from relight.photo.color.icc import adobe_rgb_profile

LIGHT = "-45,30,0.8"
SAME = Light(-45, 30, 0.8)
NO_FACE = Image.new("RGB", (96, 96), "grey")
FACE_BOX = (100, 20, 356, 276)
"""Of the example portrait: a small photo in which the face is found."""


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(content: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.fixture(scope="module")
def face() -> Image.Image:
    return Image.open(ASTRONAUT).convert("RGB").crop(FACE_BOX)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as made:
        yield made


def test_a_photo_comes_back_relit_as_in_python(
    client: httpx.Client, face: Image.Image, relighter: Relighter
) -> None:
    content = encoded(face)
    answer = client.post("/relight", files={"photo": content}, data={"light": LIGHT})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    wanted = relighter.relight(load_photo(content), SAME).image
    assert np.array_equal(decoded(answer.content), wanted)
    assert (wanted != np.array(face)).any()


def test_the_photo_may_be_the_whole_body(
    client: httpx.Client, face: Image.Image, relighter: Relighter
) -> None:
    content = encoded(face)
    query = {"light": [LIGHT, "60,10,0.3,warm"], "strength": "0.5", "gloss": "0"}
    answer = client.post("/relight", content=content, params=query)
    lights = [SAME, Light(60, 10, 0.3, warm())]
    wanted = relighter.relight(load_photo(content), lights, strength=0.5, gloss=0).image
    assert np.array_equal(decoded(answer.content), wanted)


def warm() -> tuple[float, float, float]:
    from relight_app.light_option import parse_color

    return parse_color("warm")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_format_and_exif_are_kept(client: httpx.Client, face: Image.Image, kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    content = encoded(face, kind, exif=exif.tobytes())
    answer = client.post("/relight", files={"photo": content}, data={"strength": "0"})
    assert answer.headers["content-type"] == MEDIA_TYPES[kind]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.format == kind
        assert image.getexif()[0x010F] == "Maker"


def test_a_profile_is_kept_on_request(client: httpx.Client, face: Image.Image) -> None:
    content = encoded(face, icc_profile=adobe_rgb_profile())
    data = {"strength": "0", "keep_profile": "true"}
    kept = client.post("/relight", files={"photo": content}, data=data).content
    assert Image.open(io.BytesIO(kept)).info["icc_profile"] == adobe_rgb_profile()
    assert np.array_equal(decoded(kept), np.array(face))
    made = client.post("/relight", files={"photo": content}, data={"strength": "0"}).content
    assert Image.open(io.BytesIO(made)).info["icc_profile"] != adobe_rgb_profile()
    answer = client.post("/analyze", files={"photo": content}, data=data).json()
    assert answer["profile"] == "Adobe RGB compatible"


def test_a_pattern_and_light_like_anothers(client: httpx.Client, face: Image.Image) -> None:
    photo = {"photo": encoded(face)}
    split = client.post("/analyze", files=photo, data={"pattern": "split"}).json()
    assert abs(split["lights"][0]["azimuth_deg"]) > 70
    assert "half of the face" in split["reason"]
    like = client.post("/analyze", files=photo | {"like": encoded(face)}).json()
    assert "as in the reference" in like["reason"]
    for wrong in ({"pattern": "disco"}, {"pattern": "loop", "light": LIGHT}):
        assert client.post("/analyze", files=photo, data=wrong).status_code == 422


def test_fill_leaves_less_of_the_existing_light(client: httpx.Client, face: Image.Image) -> None:
    form = {"files": {"photo": encoded(face)}, "data": {"light": LIGHT, "fill": "-1"}}
    assert client.post("/analyze", **form).json()["fill"] == 0.5
    darker, full = (
        decoded(client.post("/relight", files=form["files"], data=data).content)
        for data in (form["data"], {"light": LIGHT})
    )
    assert darker.mean() < full.mean()


def test_analysis_tells_faces_and_light(client: httpx.Client, face: Image.Image) -> None:
    answer = client.post("/analyze", files={"photo": encoded(face)})
    found = answer.json()
    assert (found["width"], found["height"]) == face.size
    assert len(found["faces"]) == len(found["lights"]) == 1
    assert found["lights"][0]["reason"]
    assert str(ASTRONAUT.parent) not in answer.text
    asked = {"light": LIGHT, "fill": "-1"}  # bright skin has no room for a key without
    brighter = client.post("/analyze", files={"photo": encoded(face)}, data=asked).json()
    assert brighter["lights"][0]["azimuth_deg"] == -45
    ratios = brighter["faces"][0]
    assert ratios["key_to_fill_after"] > ratios["key_to_fill_before"]


BAD: dict[str, tuple[Callable[[], dict[str, Any]], int, str]] = {
    "nothing": (lambda: {}, 400, "no photo"),
    "an empty file": (lambda: {"files": {"photo": b""}}, 400, "no photo"),
    "another field": (lambda: {"files": {"picture": b"x"}}, 400, "no file named 'photo'"),
    "a text field": (
        lambda: {"files": {"other": b"x"}, "data": {"photo": "/etc/passwd"}},
        400,
        "no file named 'photo'",
    ),
    "text": (lambda: {"content": b"hello"}, 415, "not a photo"),
    "urlencoded": (lambda: {"data": {"photo": "x"}}, 415, "as a file"),
    "a web page": (lambda: {"content": b"<!doctype html><p>"}, 415, "web page"),
    "half a photo": (lambda: {"content": encoded(NO_FACE, "JPEG")[:400]}, 422, "get a complete"),
    "no face": (lambda: {"content": encoded(NO_FACE)}, 422, "No face found in this photo"),
    "no light": (
        lambda: {"content": encoded(NO_FACE), "params": {"light": "up"}},
        422,
        "is not a light",
    ),
    "a light out of range": (
        lambda: {"content": encoded(NO_FACE), "params": {"light": "0,95"}},
        422,
        "elevation",
    ),
    "too many lights": (
        lambda: {"content": encoded(NO_FACE), "params": {"light": ["0,0"] * 17}},
        422,
        "at most 16 lights",
    ),
    "a strange strength": (
        lambda: {"content": encoded(NO_FACE), "params": {"strength": "nan"}},
        422,
        "strength is between",
    ),
    "more gloss than there is": (
        lambda: {"content": encoded(NO_FACE), "params": {"gloss": "101"}},
        422,
        "gloss is between",
    ),
    "a fill in words": (
        lambda: {"content": encoded(NO_FACE), "params": {"fill": "half"}},
        422,
        "fill must be a number, not 'half'",
    ),
    "a fill that brightens": (
        lambda: {"content": encoded(NO_FACE), "params": {"fill": "1"}},
        422,
        "fill is between -10 and 0 stops",
    ),
    "a profile half kept": (
        lambda: {"content": encoded(NO_FACE), "params": {"keep_profile": "half"}},
        422,
        "keep_profile must be true or false, not 'half'",
    ),
    "a bomb": (lambda: {"content": encoded(Image.new("1", (20000, 20000)))}, 413, "megapixels"),
    "a huge body": (lambda: {"content": bytes(65_000_000)}, 413, "megabytes"),
    "a broken form": (
        lambda: {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
        400,
        "boundary",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_refused_in_words(client: httpx.Client, name: str) -> None:
    make, status, words = BAD[name]
    for path in ("/relight", "/analyze"):
        answer = client.post(path, **make())
        assert answer.status_code == status, answer.text
        assert words in answer.json()["error"]
        assert "Traceback" not in answer.text


def test_a_body_without_a_length_is_counted(client: httpx.Client) -> None:
    chunks = (bytes(1_000_000) for _ in range(70))
    answer = client.post("/relight", content=chunks)
    assert (answer.status_code, "megabytes" in answer.text) == (413, True)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/relight", {}, 405),
        ("GET", "/nothing", {}, 404),
        ("GET", "/../../pyproject.toml", {}, 404),
        ("GET", "/models/%2e%2e/models.py", {}, 404),
        ("GET", "/", {"host": "evil.example"}, 421),
        ("GET", "/", {"host": "[::1"}, 400),
        ("POST", "/relight", {"origin": "http://evil.example"}, 403),
        ("POST", "/relight", {"origin": "null"}, 403),
    ],
)
def test_other_requests_are_refused(
    client: httpx.Client, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = client.request(method, path, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_the_page_its_models_and_the_description_are_served(client: httpx.Client) -> None:
    page = client.get("/")
    assert "<title>Portrait Relight</title>" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for name in re.findall(r'(?:src|href)="\./([^"]+)"', page.text):
        assert client.get(f"/{name}").status_code == 200, name
    models = client.get("/models/models.json").json()["models"]
    for model in models.values():
        assert len(client.get(f"/models/{model['file']}").content) == model["bytes"]
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {"/relight", "/analyze", "/convert"}
    schema = document["components"]["schemas"]["Analysis"]
    found = client.post("/analyze", files={"photo": ASTRONAUT.read_bytes()}).json()
    assert set(schema["required"]) == set(found)
    for part in ("lights", "faces"):
        assert set(schema["properties"][part]["items"]["required"]) == set(found[part][0])


@pytest.mark.slow
def test_200_mixed_requests_of_8_clients(
    server: Server, face: Image.Image, relighter: Relighter
) -> None:
    good = []
    for kind, light in (("PNG", SAME), ("WEBP", Light(30, 20)), ("PNG", Light(-60, 0, 0.5))):
        content = encoded(face, kind, **({"lossless": True} if kind == "WEBP" else {}))
        text = f"{light.azimuth_deg},{light.elevation_deg},{light.intensity}"
        good.append((content, text, relighter.relight(load_photo(content), light).image))
    chance = random.Random(7)  # noqa: S311
    bad = [name for name in BAD if name not in ("a huge body", "a bomb")]
    jobs = [chance.choice(bad) if i % 3 == 0 else chance.randrange(len(good)) for i in range(200)]
    chance.shuffle(jobs)

    def work(part: list[str | int]) -> None:
        with server.client() as client:
            for job in part:
                if isinstance(job, str):
                    make, status, _ = BAD[job]
                    assert client.post("/relight", **make()).status_code == status
                    continue
                content, light, wanted = good[job]
                form = {"files": {"photo": content}, "data": {"light": light}}
                answer = client.post("/relight", **form)
                assert answer.status_code == 200, answer.text
                assert np.array_equal(decoded(answer.content), wanted)

    def run(some: list[str | int]) -> float:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, [some[k::8] for k in range(8)]))
        return server.memory_mb()

    warm = run(jobs)  # the allocator keeps more and more at first: some hundred requests long
    assert run(jobs) < warm + 60


@given(
    content=st.binary(max_size=400),
    head=st.sampled_from(
        [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"II*\0"]
    ),
    kind=st.sampled_from(
        ["", "image/jpeg", "multipart/form-data; boundary=x", "application/json", "\x00"]
    ),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_malformed_uploads_get_a_4xx(
    client: httpx.Client, content: bytes, head: bytes, kind: str
) -> None:
    headers = {"content-type": kind} if kind.strip("\x00") else {}
    answer = client.post("/relight", content=head + content, headers=headers)
    assert 400 <= answer.status_code < 500
    assert json.loads(answer.text)["error"]


def test_damaged_photos_are_refused_or_relit(client: httpx.Client, face: Image.Image) -> None:
    chance = np.random.default_rng(3)
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = np.frombuffer(encoded(face, kind), np.uint8)
        for _ in range(5):
            broken = whole.copy()
            broken[chance.integers(20, len(whole), 40)] = chance.integers(0, 256, 40)
            answer = client.post("/analyze", content=broken.tobytes())
            assert answer.status_code in (200, 413, 415, 422), answer.text


def test_only_so_many_wait_in_line() -> None:
    import anyio

    class Slow(Relighter):
        def relight(self, *args: Any, **options: Any) -> Any:
            entered.set()
            released.wait(20)
            return super().relight(*args, **options)

    import threading

    entered, released = threading.Event(), threading.Event()
    app = create_app(Slow(), limits=Limits(waiting=2))

    async def run() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            found: list[int] = []

            async def ask() -> None:
                answer = await client.post("/relight", content=encoded(NO_FACE))
                found.append(answer.status_code)
                if answer.status_code == 503:
                    assert answer.headers["retry-after"]
                    released.set()

            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(ask)
            return found

    assert sorted(anyio.run(run)) == [422, 422, 503]


def test_this_machine_alone_may_ask_unless_told_otherwise() -> None:
    assert set(LOOPBACK) == {"127.0.0.1", "localhost", "::1"}
    running = Server()
    try:
        assert running.address.startswith("http://127.0.0.1:")
        port = running.address.rpartition(":")[2]
        clash = subprocess.run(
            [sys.executable, "-m", "relight_app", "serve", "--port", port],
            capture_output=True,
            text=True,
            check=False,
        )
        assert clash.returncode == 1
        assert "choose another --port" in clash.stderr
    finally:
        running.stop()
