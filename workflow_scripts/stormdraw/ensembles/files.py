"""The ensemble file that every method writes: `results/ensembles/{system}/{init}.nc`."""

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import xarray as xr

from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, written_in_parts
from stormdraw.fields.packing import packing_of
from stormdraw.fields.states import absent_times, incomplete_times, read_grid_of
from stormdraw.grids import Grid
from stormdraw.provenance import attributes
from stormdraw.roles import Roles
from stormdraw.variables import PARTS, scored_variables

logger = logging.getLogger(__name__)


class Put(Protocol):
    """Writes one member or several at one lead, both by number: (variable, y, x), or with a slice
    of members (variable, member, y, x); of some rows of the grid or of all."""

    def __call__(
        self, member: int | slice, lead: int, state: np.ndarray, rows: slice = ..., /
    ) -> None: ...


@dataclass(frozen=True)
class Case:
    """The subject of an ensemble file: one system at one initial time.

    `variables` are those of the forecasts, of which the last ones may be `diagnosed`; `inputs` are
    those that models of the run are given at the initial time.
    """

    system: str
    method: str
    init: datetime
    leads: Sequence[int]
    variables: Sequence[str]
    diagnosed: Sequence[str] = ()
    inputs: Sequence[str] = ()

    @property
    def roles(self) -> Roles:
        """The roles of the run's variables."""
        predicted = tuple(name for name in self.variables if name not in self.diagnosed)
        return Roles(predicted=predicted, diagnosed=tuple(self.diagnosed), input=tuple(self.inputs))


@contextlib.contextmanager
def ensemble_file(
    output: Path,
    grid: Grid,
    case: Case,
    members: Sequence[str] | Sequence[int],
    settings: Mapping[str, Any],
    notes: dict[str, Any] | None = None,
    packed: bool = False,
) -> Iterator[Put]:
    """Yield `put`, which writes members at one lead and derives wind speed.

    Each variable is float32 (member, lead, y, x); in a `packed` file they are 16-bit numbers that
    NetCDF readers unpack, for states within physical bounds. The file gets its name when the block
    succeeds; the content of `notes` at that point becomes global attributes.
    """
    leading = {
        "member": xr.DataArray(
            np.array(members),
            dims="member",
            attrs={"standard_name": "realization", "long_name": "ensemble member"},
        ),
        "lead": lead_coordinate(case.leads),
        "init": init_coordinate(case.init),
    }
    description = attributes(
        f"Ensemble {case.system}", f"stormdraw method {case.method}", dict(settings)
    )
    description |= {"system": case.system, "method": case.method}
    names = scored_variables(list(case.variables))
    with written_in_parts(
        output,
        grid,
        leading,
        {name: name for name in names},
        description,
        "packed" if packed else "fast",
    ) as file:
        packings = {name: packing_of(name) for name in names} if packed else {}

        def put(
            member: int | slice, lead: int, state: np.ndarray, rows: slice = slice(None)
        ) -> None:
            fields = dict(zip(case.variables, state, strict=True))
            for name in names:
                if name not in fields:
                    fields[name] = np.hypot(*(fields[part] for part in PARTS[name]))
                field = packings[name].pack(fields[name]) if packed else fields[name]
                file[name][member, lead, rows] = field

        yield put
        dataset = file[names[0]].group()
        dataset.setncatts(notes or {})


def why_none_starts(
    fields: Sequence[Path], times: Sequence[datetime], variables: Sequence[str]
) -> str:
    """Why no forecast can start from these variables at these times; empty if one can.

    `fields` are the day files that should hold them.
    """
    for unusable, reason in (
        (absent_times(fields), "the archive lacks the initial state of {}"),
        (incomplete_times(fields, variables), "the initial state of {} has missing points"),
    ):
        named = [f"{time:%Y-%m-%d %H} UTC" for time in times if time in unusable]
        if named:
            return reason.format(" and ".join(named))
    return ""


def write_missing(
    output: Path,
    fields: Path,
    case: Case,
    members: Sequence[int],
    settings: Mapping[str, Any],
    reason: str,
) -> None:
    """Write an ensemble with only missing values, for a case that cannot start for this `reason`.

    Scores then leave the case out for all systems, and report the reason from the attribute
    `missing`. The grid is that of `fields`.
    """
    logger.warning("%s at %s UTC: %s", case.system, f"{case.init:%Y-%m-%d %H}", reason)
    grid = read_grid_of(fields)
    nothing = np.full((len(case.variables), *grid.shape), np.nan, dtype=np.float32)
    notes = {"missing": reason}
    with ensemble_file(output, grid, case, members, settings, notes) as put:
        for member in range(len(members)):
            for lead in range(len(case.leads)):
                put(member, lead, nothing)
