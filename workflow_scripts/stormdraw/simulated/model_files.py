"""The GRIB files of one model: its grid, and the order of its messages."""

import contextlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np

from stormdraw.grids import Grid
from stormdraw.simulated import SIMULATED_VARIABLES
from stormdraw.simulated.base import UNKNOWN_PROCESS, base_model, base_model_names
from stormdraw.simulated.gribs import DECOYS, Encoder, Product
from stormdraw.simulated.lattices import Interpolation, five_kilometre_grid, nam_nest_grid
from stormdraw.simulated.surface import Surface, to_precision
from stormdraw.variables import variable

Fields = dict[str, np.ndarray]

# NCEP's generating processes (ON388, table A), if known for sure.
_PROCESSES = {"nam_nest": 84, "hiresw_arw": 116, "hiresw_arw_mem2": 116}


class ModelFiles(contextlib.ExitStack):
    """Writes a model's forecasts of the world to its files, on its own grid."""

    def __init__(self, model: str, surface: Surface) -> None:
        super().__init__()
        domain = surface.domain
        self.grid = _own_grid(model, domain.window)
        self._interpolation = Interpolation(domain.box, self.grid)
        self._height = self._interpolation.apply({"OROG": surface.terrain})["OROG"]
        known = model in base_model_names()
        process = base_model(model).grib_process if known else _PROCESSES.get(model)
        self._encoder = Encoder(self.grid, process or UNKNOWN_PROCESS, _perturbation(model))

    def __enter__(self) -> Self:
        super().__enter__()
        self.enter_context(self._encoder)
        return self

    def write(self, path: Path, seen: Fields, init: datetime, lead: int) -> Fields:
        """Write a file from fields (y, x) on the box, and return its fields.

        Like real files, it holds fields that nobody needs. Forecasts have one such field more than
        analyses, so line numbers differ between leads. An analysis has no sums over hours.
        """
        fields = self._on_own_grid(seen)
        messages: list[tuple[Product, np.ndarray]] = [
            (Product.of("REFC"), fields["REFC"]),
            (Product.of("OROG"), self._height),
            (DECOYS["TMP:surface"], fields["T2M"] + 0.002 * fields["CAPE"]),
            (Product.of("T2M"), fields["T2M"]),
            (Product.of("D2M"), fields["D2M"]),
            (Product.of("U10"), fields["U10"]),
            (Product.of("V10"), fields["V10"]),
            (DECOYS["WIND:hourly maximum"], 1.3 * np.hypot(fields["U10"], fields["V10"])),
            (DECOYS["CAPE:180-0 mb"], 1.15 * fields["CAPE"]),
            (Product.of("CAPE"), fields["CAPE"]),
            (Product.of("CIN"), fields["CIN"]),
        ]
        if lead > 0:
            messages.insert(8, (DECOYS["CIN:180-0 mb"], 0.6 * fields["CIN"]))
        messages += [
            (Product.of(name), values)
            for name, values in fields.items()
            if name not in SIMULATED_VARIABLES and variable(name).shortest_lead <= lead
        ]
        self._encode(path, messages, init, lead)
        return fields

    def write_alone(self, path: Path, seen: Fields, init: datetime, lead: int) -> None:
        """Write a file of nothing but some fields (y, x) on the box."""
        fields = self._on_own_grid(seen)
        messages = [(Product.of(name), values) for name, values in fields.items()]
        self._encode(path, messages, init, lead)

    def _on_own_grid(self, seen: Fields) -> Fields:
        """Fields on the box as the files have them."""
        interpolated = self._interpolation.apply(seen)
        return {name: to_precision(name, values) for name, values in interpolated.items()}

    def _encode(
        self,
        path: Path,
        messages: Sequence[tuple[Product, np.ndarray]],
        init: datetime,
        lead: int,
    ) -> None:
        write_messages(
            path,
            [self._encoder.encode(product, values, init, lead) for product, values in messages],
        )


def write_messages(path: Path, messages: Sequence[bytes]) -> None:
    """Write a GRIB file of these messages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(messages))


def _own_grid(model: str, window: Grid) -> Grid:
    """The grid of a model's files."""
    # Members of RRFS are called after it.
    if model.partition("_")[0] in base_model_names():
        return window
    return nam_nest_grid(window) if model == "nam_nest" else five_kilometre_grid(window)


def _perturbation(model: str) -> int | None:
    """The number in the messages of a perturbed RRFS member."""
    _, found, number = model.partition("rrfs_m")
    return int(number) if found else None
