"""What the maps show: which systems, variable and case, and the fields of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.ensembles.settings import ModelSystem
from stormdraw.fields.states import absent_times, incomplete_times, read_states
from stormdraw.grids import Grid
from stormdraw.report.graticule import MapGrid
from stormdraw.report.map_outlines import outlines
from stormdraw.settings import Settings
from stormdraw.times import hours

# dBZ; what operational centres verify storms at.
_STORM = 30.0


@dataclass(frozen=True)
class Block:
    """One system's part of the figure: its fields (y, x) under their titles, or why it has none."""

    system: str
    fields: dict[str, np.ndarray]
    note: str


def mapped_systems(settings: Settings) -> list[str]:
    """The systems the maps show: the first that samples a model, and the reference.

    Without a model it is the first system that is not the reference.
    """
    names = [system.name for system in settings.ensembles.systems]
    learnt = [
        system.name for system in settings.ensembles.systems if isinstance(system, ModelSystem)
    ]
    reference = settings.scores.reference
    others = [name for name in names if name != reference]
    shown = (learnt or others or names)[:1]
    return [*shown, reference] if reference is not None and reference not in shown else shown


def mapped_variable(settings: Settings) -> str:
    """The variable the maps show: storms if the run has them, else temperature."""
    for name in ("REFC", "T2M"):
        if name in settings.variables:
            return name
    return str(settings.variables[0])


def common_cases(
    files: Mapping[str, Mapping[datetime, Path]],
    truth_paths: Sequence[str | Path],
    leads: Sequence[int],
) -> list[datetime]:
    """The initial times that all systems have and whose truth at `leads` is not known to lack.

    One that no model can start at is none of them.
    """
    absent = absent_times(truth_paths)
    unusable = absent | incomplete_times(truth_paths)
    return [
        init
        for init in sorted(set.intersection(*(set(by_init) for by_init in files.values())))
        if init not in unusable and not {init + hours(lead) for lead in leads} & absent
    ]


def choose_case(
    inits: Sequence[datetime], lead: int, name: str, truth_paths: Sequence[str | Path]
) -> datetime:
    """The case whose truth has the largest area of storms at `lead`, or else the first.

    Raises StormdrawError if the truth of a case is in none of the files.
    """
    if name != "REFC":
        return inits[0]
    valid = [init + hours(lead) for init in inits]
    areas = [
        int(np.count_nonzero(state >= _STORM))
        for _, state in read_states(truth_paths, [name], valid)
    ]
    return inits[int(np.argmax(areas))]


def read_grid(path: str | Path) -> MapGrid:
    """Where an ensemble lies on the map."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
        return MapGrid(
            lines=outlines(Grid.of(dataset)),
            x=dataset["x"].values / 1000.0,
            y=dataset["y"].values / 1000.0,
            latitude=dataset["latitude"].values,
            longitude=dataset["longitude"].values,
        )


def read_block(path: str | Path, system: str, name: str, lead: int, count: int) -> Block:
    """Mean and the first `count` members that are there, of one variable at one lead."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
        if f"{name}_mean" in dataset:
            mean = dataset[f"{name}_mean"].sel(lead=lead).values
            return Block(system, {"mean": mean}, "known by its mean and spread only")
        if name not in dataset:
            return Block(system, {}, f"{system} has no {name}")
        members = dataset[name].sel(lead=lead)
        present = [
            index
            for index in range(members.sizes["member"])
            if bool(np.isfinite(members.isel(member=index).values).any())
        ]
        if not present:
            return Block(system, {}, f"{system} has no member of {name} at {lead} h")
        fields: dict[str, np.ndarray] = {}
        if len(present) > 1:
            total = np.zeros(members.shape[1:])
            for index in present:
                total += members.isel(member=index).values
            fields[f"mean of {len(present)}"] = total / len(present)
        for index in present[:count]:
            label = str(members["member"].values[index])
            title = f"member {label}" if label.isdecimal() else label
            fields[title] = members.isel(member=index).values
        note = "one member" if len(present) == 1 else f"{len(present)} members"
        return Block(system, fields, note)


def files_by_init(paths: Sequence[str | Path]) -> dict[datetime, Path]:
    """Ensemble files by their initial time."""
    by_init = {}
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
            by_init[dataset["init"].values.astype("datetime64[s]").item()] = Path(path)
    return by_init
