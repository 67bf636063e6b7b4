# SPDX-License-Identifier: Apache-2.0
"""A file that sums up a batch: one line for each photo, written as each is finished."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from relight.error import reason
from relight_app.destination import PlanError
from relight_app.task import Outcome

COLUMNS = (
    *("photo", "status", "output", "width", "height", "profile", "faces"),
    *("azimuth_deg", "elevation_deg", "intensity", "color", "softness_deg", "further_lights"),
    *("fill", "strength", "key_to_fill_before", "key_to_fill_after", "seconds"),
    *("reason", "error", "warnings"),
)
"""Of a CSV file. Light and ratios are those of the first light and the largest face; a colour is
red, green and blue in linear light."""


class Summary:
    """A summary file.

    Lines are added to a file of the same kind that an earlier run left, so that a run which was
    interrupted can be repeated; photos done by then are not listed again.

    Attributes:
        trouble: why lines could not be written, in words; None while all is well.
    """

    def __init__(self, name: str, *, overwrite: bool) -> None:
        """Check the file; nothing is written before the first line.

        Args:
            name: path of a .csv or .jsonl file.
            overwrite: whether to begin anew.

        Raises:
            PlanError: for another kind of file, a missing folder, or an existing file that is no
                such summary.
        """
        self.trouble: str | None = None
        self._path = Path(name)
        self._csv = self._path.suffix.lower() == ".csv"
        self._begun = False
        if "://" in name or self._path.suffix.lower() not in (".csv", ".jsonl"):
            raise PlanError(f"--summary {name}: name a .csv or .jsonl file on this machine")
        if not self._path.parent.is_dir():
            raise PlanError(
                f"--summary {name}: there is no folder {self._path.parent}; create it first"
            )
        if self._path.is_dir():
            raise PlanError(f"--summary {name} is a folder; name a file")
        try:
            self._continued = not overwrite and self._path.exists() and self._is_one()
        except OSError as error:
            raise PlanError(f"--summary {name} cannot be read ({reason(error)})") from error

    def _is_one(self) -> bool:
        """Whether there is something to continue; an empty file is as good as none."""
        with self._path.open("rb") as file:
            first = file.readline(1 << 20).decode(errors="replace")
        if not first:
            return False
        ours = first.rstrip("\r\n") == ",".join(COLUMNS) if self._csv else _is_account(first)
        if not ours:
            cure = "use --overwrite or another name"
            raise PlanError(f"--summary {self._path} exists and is no summary; {cure}")
        return True

    def add(self, outcome: Outcome) -> None:
        """Write the line of a photo; a failure is kept in :attr:`trouble`."""
        if self.trouble or (self._continued and outcome.status == "skipped"):
            return
        try:
            line = _csv_line(_row(outcome)) if self._csv else json.dumps(outcome.account()) + "\n"
            if self._begun:
                head, mode = "", "ab"
            elif self._continued:  # a killed run may have left part of a line
                head, mode = "" if _ends_with_a_line(self._path) else "\n", "ab"
            else:
                head, mode = _csv_line(COLUMNS) if self._csv else "", "wb"
            with self._path.open(mode) as file:
                file.write((head + line).encode(errors="backslashreplace"))
            self._begun = True
        except OSError as error:
            self.trouble = (
                f"cannot write {self._path} ({reason(error)}); photos are relit all the same"
            )


def _ends_with_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, io.SEEK_END)
        return file.read(1) == b"\n"


def _is_account(line: str) -> bool:
    try:
        return {"photo", "status"} <= set(json.loads(line))
    except (ValueError, TypeError):
        return False


def _csv_line(values: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def _row(outcome: Outcome) -> list[Any]:
    account = outcome.account()
    lights, faces = account.get("lights", []), account.get("faces", [])
    account |= faces[0] if faces else {}
    account |= lights[0] if lights else {}
    account["faces"] = len(faces) if "faces" in account else None
    account["further_lights"] = json.dumps(lights[1:]) if lights[1:] else None
    account["seconds"] = round(sum(account.get("timings_s", {}).values()), 3) or None
    account["warnings"] = " | ".join(account.get("warnings", ()))
    account["color"] = " ".join(f"{value:g}" for value in account.get("color", ()))
    return [account.get(name) for name in COLUMNS]
