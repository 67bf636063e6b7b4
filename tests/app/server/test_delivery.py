# SPDX-License-Identifier: Apache-2.0
"""The page's files on the wire: small, once, and only those."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator

import httpx
import pytest
from conftest import ROOT
from relight_app.server.delivery import FOR_EVER
from serving import Server

MODELS = ROOT / "relight" / "models"
PAGE = ROOT / "app" / "relight_app" / "page"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    server = Server()
    with server.client() as made:
        yield made
    server.stop()


def raw(client: httpx.Client, path: str, accept: str) -> tuple[httpx.Response, bytes]:
    """An answer, and its body as it came over the wire."""
    with client.stream("GET", path, headers={"accept-encoding": accept}) as answer:
        return answer, b"".join(answer.iter_raw())


def wasm() -> str:
    (path,) = PAGE.glob("litert-*/*.wasm.gz")
    return path.relative_to(PAGE).as_posix().removesuffix(".gz")


def test_webassembly_comes_in_the_smallest_form_that_is_understood(client: httpx.Client) -> None:
    name = wasm()
    for accept, encoding, suffix in (
        ("gzip, deflate, br", "br", ".br"),
        ("gzip", "gzip", ".gz"),
        ("br;q=0, gzip", "gzip", ".gz"),
    ):
        answer, body = raw(client, f"/{name}", accept)
        assert answer.headers["content-encoding"] == encoding
        assert answer.headers["content-type"] == "application/wasm"
        assert body == (PAGE / (name + suffix)).read_bytes()
        assert answer.headers["vary"] == "accept-encoding"
        assert int(answer.headers["content-length"]) == len(body)
    assert raw(client, f"/{name}", "identity")[0].status_code == 404


def test_models_come_whole_and_in_halves(client: httpx.Client) -> None:
    sizes = [0, 0, 0]
    for model in json.loads((MODELS / "models.json").read_text())["models"].values():
        content = (MODELS / model["file"]).read_bytes()
        path = f"/models/{model['file']}"
        assert raw(client, path, "identity")[1] == content
        _, whole = raw(client, path, "gzip")
        answer, halves = raw(client, f"{path}.halves?{model['sha256']}", "gzip")
        assert gzip.decompress(whole) == content
        unpacked = gzip.decompress(halves)
        joined = bytearray(len(content))
        middle = (len(content) + 1) // 2
        joined[::2], joined[1::2] = unpacked[:middle], unpacked[middle:]
        assert bytes(joined) == content
        assert answer.headers["cache-control"] == FOR_EVER
        for k, part in enumerate((content, whole, halves)):
            sizes[k] += len(part)
    print("models: {:.2f} MB; gzip {:.2f}; halves {:.2f}".format(*(s / 1e6 for s in sizes)))  # noqa: T201
    assert sizes[2] < 0.97 * sizes[1] < 0.9 * sizes[0]


def test_what_is_named_by_its_content_is_kept_for_ever_and_nothing_else(
    client: httpx.Client,
) -> None:
    hashed = re.findall(r'"\./(assets/[^"]+)"', client.get("/").text)
    assert hashed
    for path in (*hashed, wasm()):
        assert client.get(f"/{path}").headers["cache-control"] == FOR_EVER, path
    for path in ("", "service.js", "models/models.json", "manifest.json", "models/person.tflite?x"):
        assert client.get(f"/{path}").headers["cache-control"] == "no-cache", path


def test_what_is_known_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/")
    again = client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = client.head("/")
    assert head.content == b""
    assert head.headers["content-length"] == first.headers["content-length"]


@pytest.mark.parametrize(
    "path", ["models/library.py", "../pyproject.toml", "source.json/../../task.py", "%2e%2e/x"]
)
def test_nothing_else_can_be_reached(client: httpx.Client, path: str) -> None:
    assert client.get(f"/{path}").status_code == 404


def test_only_reading_is_possible(client: httpx.Client) -> None:
    assert client.post("/index.html").status_code == 405


def test_the_media_types_are_right(client: httpx.Client) -> None:
    kinds = {".js": "javascript", ".css": "css", ".json": "json", ".svg": "svg", ".jpg": "jpeg"}
    for path in PAGE.rglob("*"):
        if path.suffix in kinds:
            kind = client.get(f"/{path.relative_to(PAGE).as_posix()}").headers["content-type"]
            assert kinds[path.suffix] in kind, path
