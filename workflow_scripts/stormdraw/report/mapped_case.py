"""One case of a system as maps show it, taken from its ensemble while that is there.

results/report/maps/{system}.nc has for some leads, each (lead, y, x): the `truth`, the `mean` of
all members, the first of them (`member_0` and on) and, where the variable has a threshold, the
`share` of members that reach it in per cent. Its attributes say which members these are, or in
`gap` why no case can be shown.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr

from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, written_in_parts
from stormdraw.fields.states import StateReader, absent_times, incomplete_times, read_states
from stormdraw.grids import Grid
from stormdraw.report.wording import plural
from stormdraw.scores.ensemble import initial_time
from stormdraw.times import hours

# dBZ; what operational centres verify storms at.
_STORM = 30.0


@dataclass(frozen=True)
class Wanted:
    """What maps show: a variable at some leads, so many members, and who reaches a threshold."""

    variable: str
    leads: Sequence[int]
    members: int
    threshold: float | None


@dataclass(frozen=True)
class Block:
    """One system's part of a figure: its fields (y, x) under their titles, or why it has none.

    `share` is of all members, in per cent.
    """

    system: str
    fields: dict[str, np.ndarray]
    note: str
    share: np.ndarray | None = None


class MappedCase:
    """A case that `extract_case` wrote; its fields are read when they are asked for.

    `gap` says why there is none. `cases` is among how many it was chosen.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
            self.grid = Grid.of(dataset)
            self.init = initial_time(dataset)
            self.system, self.gap = (str(dataset.attrs[key]) for key in ("system", "gap"))
            self.cases = int(dataset.attrs["cases"])
            self._told: dict[str, dict[str, Any]] = json.loads(dataset.attrs["members"])

    def truth(self, lead: int) -> np.ndarray:
        """The truth at a lead, (y, x)."""
        return self._read("truth", lead)

    def block(self, lead: int, count: int) -> Block:
        """Mean and the first `count` members that are there, at a lead."""
        told = self._told[str(lead)]
        fields = {}
        if told["mean"]:
            fields[told["mean"]] = self._read("mean", lead)
        for place, title in enumerate(told["titles"][:count]):
            fields[title] = self._read(f"member_{place}", lead)
        share = self._read("share", lead) if told["share"] else None
        return Block(self.system, fields, told["note"], share)

    def _read(self, name: str, lead: int) -> np.ndarray:
        with xr.open_dataset(self.path, engine="netcdf4", decode_timedelta=False) as dataset:
            return dataset[name].sel(lead=lead).values


def extract_case(
    system: str,
    ensemble_paths: Sequence[Path],
    state_paths: Sequence[Path],
    truth_paths: Sequence[Path],
    wanted: Wanted,
    output: Path,
) -> None:
    """Write one of these cases of a system: the one whose truth has most storms, or the first.

    It is a case that can be started and whose truth is known: the same for all systems. The files
    of `state_paths` have the initial states, those of `truth_paths` the truth.
    Raises StormdrawError if the truth of a case is in none of the files.
    """
    by_init = _by_init(ensemble_paths)
    inits = usable_cases(by_init, state_paths, truth_paths, wanted)
    gap = ""
    if not inits:
        cases = plural(len(by_init), "case")
        gap = f"There is no map: of the {cases} looked at, none can start with its truth known."
    init = choose_case(inits, max(wanted.leads), wanted.variable, truth_paths) if inits else None
    with xr.open_dataset(
        by_init[init or min(by_init)], engine="netcdf4", decode_timedelta=False
    ) as ensemble:
        leading = {
            "lead": lead_coordinate(wanted.leads),
            "init": init_coordinate(initial_time(ensemble)),
        }
        names = ["truth", "mean", *(f"member_{place}" for place in range(wanted.members))]
        names += ["share"] if wanted.threshold is not None else []
        labels = dict.fromkeys(names, wanted.variable)
        with written_in_parts(output, Grid.of(ensemble), leading, labels, {}) as file:
            if init is None:
                told = {}
                for variable in file.values():
                    variable[:] = np.nan
            else:
                told = _fill(file, ensemble, system, init, truth_paths, wanted)
            notes = {"system": system, "gap": gap, "cases": len(inits), "members": json.dumps(told)}
            file["truth"].group().setncatts(notes)


def usable_cases(
    inits: Iterable[datetime],
    state_paths: Sequence[Path],
    truth_paths: Sequence[Path],
    wanted: Wanted,
) -> list[datetime]:
    """The initial times whose state is whole, and whose truth has the variable at all leads."""
    unusable = absent_times(state_paths) | incomplete_times(state_paths)
    absent = absent_times(truth_paths)
    truth = StateReader(truth_paths, [wanted.variable])

    def has_truth(init: datetime) -> bool:
        valid = [init + hours(lead) for lead in wanted.leads]
        # The archive may lack a variable of an hour, which has no value at any point then.
        return not absent & {*valid} and all(np.isfinite(truth.read(one)).any() for one in valid)

    return [init for init in sorted(inits) if init not in unusable and has_truth(init)]


def choose_case(
    inits: Sequence[datetime], lead: int, name: str, truth_paths: Sequence[Path]
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


def _by_init(paths: Sequence[Path]) -> dict[datetime, Path]:
    by_init = {}
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
            by_init[initial_time(dataset)] = path
    return by_init


def _fill(
    file: Mapping[str, netCDF4.Variable],
    ensemble: xr.Dataset,
    system: str,
    init: datetime,
    truth_paths: Sequence[Path],
    wanted: Wanted,
) -> dict[int, dict[str, Any]]:
    """Write all fields, and return of each lead the titles of mean and members, and the note."""
    told = {}
    valid = [init + hours(lead) for lead in wanted.leads]
    truths = read_states(truth_paths, [wanted.variable], valid)
    for index, (lead, (_, (truth,))) in enumerate(zip(wanted.leads, truths, strict=True)):
        block = read_block(ensemble, system, wanted, lead)
        mean, titles = "", list(block.fields)
        if titles and titles[0].startswith("mean"):
            mean, *titles = titles
        written = {"truth": truth} | ({"mean": block.fields[mean]} if mean else {})
        written |= {f"member_{place}": block.fields[title] for place, title in enumerate(titles)}
        written |= {} if block.share is None else {"share": block.share}
        for name, variable in file.items():
            variable[index] = written.get(name, np.nan)
        shared = block.share is not None
        told[lead] = {"mean": mean, "titles": titles, "share": shared, "note": block.note}
    return told


def read_block(ensemble: xr.Dataset, system: str, wanted: Wanted, lead: int) -> Block:
    """Mean, first members that are there and share of all members of an ensemble at a lead."""
    name = wanted.variable
    if f"{name}_mean" in ensemble:
        mean = ensemble[f"{name}_mean"].sel(lead=lead).values
        return Block(system, {"mean": mean}, "known by its mean and spread only")
    if name not in ensemble:
        return Block(system, {}, f"{system} has no {name}")
    members = ensemble[name].sel(lead=lead)
    total, reached, known = np.zeros((3, *members.shape[1:]))
    first: dict[str, np.ndarray] = {}
    count = 0
    for index in range(members.sizes["member"]):
        member = members.isel(member=index).values
        finite = np.isfinite(member)
        if not finite.any():
            continue
        count += 1
        total += member
        known += finite
        if wanted.threshold is not None:
            reached += member >= wanted.threshold
        if len(first) < wanted.members:
            label = str(members["member"].values[index])
            first[f"member {label}" if label.isdecimal() else label] = member
    if not count:
        return Block(system, {}, f"{system} has no member of {name} at {lead} h")
    if count == 1:
        return Block(system, first, "one member")
    share = None
    if wanted.threshold is not None:
        share = 100.0 * np.divide(reached, known, out=np.full(known.shape, np.nan), where=known > 0)
    return Block(system, {f"mean of {count}": total / count, **first}, f"{count} members", share)
