# SPDX-License-Identifier: Apache-2.0
"""Training and export under a name that is nobody else's: ``portrait_relight.training``.

``python -m portrait_relight.training.train`` works from any folder. A wheel holds both rooms in
here (``app/wheel.py``); a checkout has them at its top, where this finds them.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

ROOMS = ("training", "export")
_HERE = Path(__file__).resolve().parent


class _Checkout(MetaPathFinder):
    """Finds ``portrait_relight.training.x``: the module ``training.x`` itself, not a copy of it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        home, _, own = fullname.partition(".")
        if home != __name__ or own.split(".")[0] not in ROOMS:
            return None
        spec = importlib.util.find_spec(own)
        if spec is None or spec.loader is None:
            return None
        package = spec.submodule_search_locations is not None
        return ModuleSpec(fullname, _Same(spec), origin=spec.origin, is_package=package)


class _Same(InspectLoader):
    """Gives a module by its name in the checkout.

    Args:
        spec: of that module.
    """

    def __init__(self, spec: ModuleSpec) -> None:
        self._spec = spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return importlib.import_module(self._spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has just put the other name's there

    def is_package(self, fullname: str) -> bool:
        return self._spec.submodule_search_locations is not None

    def get_source(self, fullname: str) -> str | None:
        return self._loader.get_source(self._spec.name)

    def get_code(self, fullname: str) -> CodeType | None:
        """What ``python -m`` runs."""
        return self._loader.get_code(self._spec.name)

    @property
    def _loader(self) -> InspectLoader:
        loader = self._spec.loader
        assert isinstance(loader, InspectLoader)  # noqa: S101 - rooms are folders of source files
        return loader


_HOME = _HERE
if not (_HERE / ROOMS[0]).is_dir():
    _HOME = _HERE.parents[1]
    sys.path.append(str(_HOME))
    _paths = (os.environ.get("PYTHONPATH"), str(_HOME))  # programs that are started find them too
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, _paths))
    sys.meta_path.insert(0, _Checkout())

EXAMPLES = _HOME / "examples"
"""A photo, two people in the Light Stage, and a notebook."""
