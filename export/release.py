# SPDX-License-Identifier: Apache-2.0
"""From trained weights to what the package ships; nothing that fails a gate is shipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras

import relight
from export.error import ExportError
from export.measure.figure_table import FigureTable
from export.model import manifest
from export.model.convert import Precision, convert
from export.model.description import DESCRIPTIONS
from export.model.graph import inspect
from export.model.metadata import annotate
from export.model.sample import SampleConfig, real_photos, rendered_people, synthetic_photos
from export.model.verify import Bench, Gates, Parity, failures
from relight.models.interpreter import ModelError
from relight.storage import whole_file
from training.networks.weight_file import SHIPPED, load_network

PRECISIONS = {
    "normals": Precision.DYNAMIC,
    "lighting": Precision.DYNAMIC,
    "shading": Precision.DYNAMIC,
    "key": Precision.FLOAT16,
}
"""How each network ships. Those that look at a face once are the faster and half as large with
8-bit weights, and photos relit with them pass the gate of float16; the key network, which runs with
every move of a light, may run on a GPU, which takes float16."""


@dataclass(frozen=True)
class ReleaseConfig:
    """What is exported, and where.

    Attributes:
        weights: folder of ``<name>.weights.h5``; networks that it lacks are exported as they ship.
        out: folder of the shipped models.
        variants: folder of the float32, float16 and int8 files, or ``None``.
        data: dataset of views, or ``None`` to render a few people.
        photos: folder of real portraits besides the example, or ``None``.
        gates: what files must reach.
        samples: how many synthetic photos are used.
    """

    weights: Path
    out: Path
    variants: Path | None = None
    data: Path | None = None
    photos: Path | None = None
    gates: Gates = field(default_factory=Gates)
    samples: SampleConfig = field(default_factory=SampleConfig)


@dataclass(frozen=True)
class Release:
    """The converted files, and how closely they follow Keras.

    Attributes:
        shipped: content by network, in its precision of :data:`PRECISIONS`.
        reference: float32 content by network.
        half: float16 content by network.
        offered: int8 content of the networks whose int8 file passed.
        parity: of the shipped files.
        reference_parity: of the float32 files.
        half_parity: of the float16 files.
        int8_parity: by network, of its int8 file among shipped ones, where the runtime can run it.
    """

    shipped: dict[str, bytes]
    reference: dict[str, bytes]
    half: dict[str, bytes]
    offered: dict[str, bytes]
    parity: Parity
    reference_parity: Parity
    half_parity: Parity
    int8_parity: dict[str, Parity]


def release(config: ReleaseConfig, tell: Callable[[str], None] = lambda line: None) -> Release:
    """Convert, verify and write.

    Args:
        config: what to export, and where.
        tell: called with a line about each step.

    Raises:
        ExportError: if any gate is failed, listing all reasons; nothing is written then.
        RelightError: if weights, data or photos cannot be read.
    """
    networks = {name: load_network(name, folder) for name, folder in _homes(config.weights).items()}
    real = real_photos(config.photos)
    with ExitStack() as stack:
        if config.data is None:
            tell("rendering people to verify and calibrate with")
        data = config.data or stack.enter_context(rendered_people(config.samples))
        synthetic, others = synthetic_photos(data, config.samples)
    tell(f"relighting {len(real)} real and {len(synthetic)} synthetic photos with Keras")
    with Bench(networks, {**real, **synthetic}) as bench, Bench(networks, others) as calibration:
        made = _made(networks, bench, calibration, config.gates, tell)
    shipped = {**made.shipped, **manifest.adopted()[0]}
    megabytes = sum(map(len, shipped.values())) / 1e6
    reasons = failures(made.reference_parity, made.parity, megabytes, config.gates)
    if reasons:
        raise ExportError("not exported: " + "; ".join(reasons))
    _write(config, made)
    return made


def _homes(folder: Path) -> dict[str, Path]:
    """Where each network's weights are: in the folder, or, if it has others, the shipped ones."""
    own = {name for name in DESCRIPTIONS if (folder / f"{name}.weights.h5").is_file()}
    return {name: SHIPPED if own and name not in own else folder for name in DESCRIPTIONS}


def _made(
    networks: Mapping[str, keras.Model],
    bench: Bench,
    calibration: Bench,
    gates: Gates,
    tell: Callable[[str], None],
) -> Release:
    files: dict[Precision, dict[str, bytes]] = {}
    for precision in Precision:
        tell(f"converting to {precision}")
        files[precision] = {}
        for name, model in networks.items():
            # Some runtimes lack the int8 form of some operations: such files are not offered.
            with suppress(ModelError) if precision is Precision.INT8 else nullcontext():
                files[precision][name] = _file(name, model, precision, calibration)
    tell("comparing with Keras")
    shipped = {name: files[PRECISIONS[name]][name] for name in networks}
    int8 = {
        name: bench.judge({**shipped, name: content})
        for name, content in files[Precision.INT8].items()
    }
    return Release(
        shipped=shipped,
        reference=files[Precision.FLOAT32],
        half=files[Precision.FLOAT16],
        offered={
            name: files[Precision.INT8][name]
            for name, parity in int8.items()
            if parity.worst_db >= gates.int8_db
        },
        parity=bench.judge(shipped),
        reference_parity=bench.judge(files[Precision.FLOAT32]),
        half_parity=bench.judge(files[Precision.FLOAT16]),
        int8_parity=int8,
    )


def _file(name: str, model: keras.Model, precision: Precision, calibration: Bench) -> bytes:
    inputs = calibration.calibration(name) if precision is Precision.INT8 else ()
    content = convert(model, precision, inputs)
    figures = {"precision": str(precision), "parameters": model.count_params()}
    return annotate(content, name, DESCRIPTIONS[name], relight.__version__, figures)


def _write(config: ReleaseConfig, made: Release) -> None:
    about = {name: _details(name, content, made) for name, content in made.shipped.items()}
    manifest.write(config.out, made.shipped, relight.__version__, about)
    if config.variants is None:
        return
    try:
        config.variants.mkdir(parents=True, exist_ok=True)
        for precision, contents in (
            (Precision.FLOAT32, made.reference),
            (Precision.FLOAT16, made.half),
            (Precision.INT8, made.offered),
        ):
            for name in made.shipped:
                path = config.variants / f"{name}-{precision}.tflite"
                if name not in contents:
                    path.unlink(missing_ok=True)  # from an earlier run whose file passed
                    continue
                with whole_file(path) as temporary:
                    temporary.write_bytes(contents[name])
    except OSError as error:
        raise ExportError(
            f"{config.variants}: cannot be written ({error.strerror or error}); free space or"
            " choose another folder"
        ) from error


def _details(name: str, content: bytes, made: Release) -> dict[str, Any]:
    graph = inspect(content)
    errors = made.parity.errors[name]
    return {
        **manifest.details(name),
        "precision": str(PRECISIONS[name]),
        "parameters": graph.parameters,
        "macs": graph.macs,
        "error_to_keras": {output: asdict(error) for output, error in errors.items()},
        "relit_psnr_db": made.parity.worst_db,
    }


def parity_table(made: Release, gates: Gates) -> FigureTable:
    """Errors per output and precision, and the relit photos."""
    rows = []
    for name in made.shipped:
        kinds = {
            Precision.FLOAT32: made.reference_parity,
            Precision.FLOAT16: made.half_parity,
            PRECISIONS[name]: made.parity,
        }
        if name in made.int8_parity:
            kinds[Precision.INT8] = made.int8_parity[name]
        for precision, parity in kinds.items():
            for output, error in parity.errors[name].items():
                rows.append(
                    (
                        f"{name}: {output}",
                        str(precision),
                        f"{error.largest:.1e}",
                        f"{error.scaled:.1e}",
                        f"{error.mean:.1e}",
                        f"{error.spread:.2f}",
                        f"{parity.worst_db:.1f}",
                    )
                )
    left_out = sorted(made.shipped.keys() - made.offered.keys())
    offered = f"int8 not offered: {', '.join(left_out)}" if left_out else "int8 offered: all"
    return FigureTable(
        "parity",
        f"TFLite against Keras on {len(made.parity.decibels)} photos",
        ("output", "precision", "largest error", "scaled", "mean", "spread of values", "relit, dB"),
        rows,
        "Scaled: over the value where that is above 1. Relit: PSNR of the worst photo, relit by"
        " float32 files, by float16 ones, or by those that ship, an int8 file among them. Gates:"
        f" float32 scaled <= {gates.float32_error:g}, those that ship >= {gates.shipped_db:g} dB,"
        f" int8 >= {gates.int8_db:g} dB ({offered}).",
    )
