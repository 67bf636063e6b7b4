# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from export.error import ExportError
from export.model import manifest
from relight.models.library import Models, read_manifest

CONTENTS = {
    name: (Models().folder / f"{name}.tflite").read_bytes()
    for name in ("normals", "lighting", "shading", "key")
}


def test_the_runtime_reads_it(tmp_path: Path) -> None:
    manifest.write(tmp_path / "models", CONTENTS, "7.1", {"normals": manifest.details("normals")})
    version, entries = read_manifest(tmp_path / "models")
    assert version == "7.1"
    assert entries["lighting"].outputs == {"log_environment": [1, 16, 32, 3]}
    shipped = read_manifest(Models().folder)[1]
    assert entries.keys() == shipped.keys()  # MediaPipe's stay as the package has them
    for name, entry in entries.items():
        content = (tmp_path / "models" / entry.file).read_bytes()
        assert content == CONTENTS.get(name, (Models().folder / shipped[name].file).read_bytes())
        assert (entry.bytes, entry.sha256) == (len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("name", ["normals.tflite", "key.tflite", "models.json"])
def test_a_full_disk_leaves_everything_as_it_was(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest.write(tmp_path, CONTENTS, "1", {})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for kind in ("write_bytes", "write_text"):
        original = getattr(Path, kind)

        def full(self: Path, *words: Any, original: Any = original) -> int:
            if self.name.startswith(f".{name.split('.')[0]}."):
                raise OSError(28, "No space left on device")
            written: int = original(self, *words)
            return written

        monkeypatch.setattr(Path, kind, full)
    changed = {key: content + b"\0" for key, content in CONTENTS.items()}
    with pytest.raises(ExportError, match="No space left"):
        manifest.write(tmp_path, changed, "2", {})
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_place_that_is_a_file_costs_one_line(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    with pytest.raises(ExportError, match="models: cannot be written"):
        manifest.write(tmp_path / "models", CONTENTS, "1")


@pytest.mark.parametrize("name", CONTENTS)
def test_details_are_json_without_infinity(name: str) -> None:
    text = json.dumps(manifest.details(name), allow_nan=False)
    assert "Apache-2.0" in text
