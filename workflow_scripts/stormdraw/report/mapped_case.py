"""The fields that maps show of one case of a system, extracted while its ensemble exists.

results/report/maps/{system}.nc holds fields (lead, y, x) at a few leads: the `truth`, the `mean`
of all members, the first members (`member_0`, `member_1`, ...) and, if the variable has a
threshold, the `share` of members with the event in per cent. The attributes name the members, or
say in `gap` why no case can be shown.
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
from stormdraw.scores.threshold import Limit, Threshold
from stormdraw.times import hours

# Reflectivity of a storm (dBZ), a threshold at which operational centres verify.
_STORM = 30.0


@dataclass(frozen=True)
class Wanted:
    """What maps show: variable, leads, number of members, and threshold of the probability.

    `threshold` is as the configuration gives it: a number, or a text that starts with <=. `initial`
    are the variables that forecasts start from.
    """

    variable: str
    leads: Sequence[int]
    members: int
    threshold: float | str | None
    initial: Sequence[str]

    @property
    def limit(self) -> Limit | None:
        """The limit of the event, or None without a threshold."""
        if self.threshold is None:
            return None
        threshold = Threshold.parse(self.threshold)
        return Limit(threshold, threshold.number)


@dataclass(frozen=True)
class Block:
    """One system's part of a figure: its fields (y, x) by title, and a note on what they are.

    `share` is the percentage of all members that reach the threshold.
    """

    system: str
    fields: dict[str, np.ndarray]
    note: str
    share: np.ndarray | None = None


class MappedCase:
    """A case that `extract_case` wrote. Fields are read on demand.

    `gap` says why there is no case. `cases` is the number of cases it was chosen from.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
            self.grid = Grid.of(dataset)
            self.init = initial_time(dataset)
            self.system, self.gap = (str(dataset.attrs[key]) for key in ("system", "gap"))
            self.cases = int(dataset.attrs["cases"])
            self._members: dict[str, dict[str, Any]] = json.loads(dataset.attrs["members"])

    def truth(self, lead: int) -> np.ndarray:
        """The truth at a lead, (y, x)."""
        return self._read("truth", lead)

    def block(self, lead: int, count: int) -> Block:
        """The mean and the first `count` available members at a lead."""
        stored = self._members[str(lead)]
        fields = {}
        if stored["mean"]:
            fields[stored["mean"]] = self._read("mean", lead)
        for place, title in enumerate(stored["titles"][:count]):
            fields[title] = self._read(f"member_{place}", lead)
        share = self._read("share", lead) if stored["share"] else None
        return Block(self.system, fields, stored["note"], share)

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
    """Write one case of a system: the one whose truth has the most storms, or the first.

    Only cases with a complete initial state (`state_paths`) and a known truth (`truth_paths`) are
    eligible, so all systems show the same case.
    Raises StormdrawError if the truth of a case is in none of the files.
    """
    by_init = _by_init(ensemble_paths)
    inits = usable_cases(by_init, state_paths, truth_paths, wanted)
    gap = ""
    if not inits:
        cases = plural(len(by_init), "case")
        gap = f"No map: none of the {cases} has both a complete initial state and a known truth."
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
                members = {}
                for variable in file.values():
                    variable[:] = np.nan
            else:
                members = _fill(file, ensemble, system, init, truth_paths, wanted)
            notes = {"system": system, "gap": gap, "cases": len(inits)}
            file["truth"].group().setncatts(notes | {"members": json.dumps(members)})


def usable_cases(
    inits: Iterable[datetime],
    state_paths: Sequence[Path],
    truth_paths: Sequence[Path],
    wanted: Wanted,
) -> list[datetime]:
    """The initial times with a complete state whose truth has the variable at every lead.

    What is only diagnosed may be missing from the state: no forecast starts from it.
    """
    unusable = absent_times(state_paths) | incomplete_times(state_paths, wanted.initial)
    absent = absent_times(truth_paths)
    truth = StateReader(truth_paths, [wanted.variable])

    def has_truth(init: datetime) -> bool:
        valid = [init + hours(lead) for lead in wanted.leads]
        # A variable that the archive lacks at an hour has no value at any point.
        return not absent & {*valid} and all(np.isfinite(truth.read(one)).any() for one in valid)

    return [init for init in sorted(inits) if init not in unusable and has_truth(init)]


def choose_case(
    inits: Sequence[datetime], lead: int, name: str, truth_paths: Sequence[Path]
) -> datetime:
    """The case whose truth has the largest area of storms at `lead`; the first without REFC.

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
    """Write all fields. Return the titles of mean and members, and the note, by lead."""
    stored = {}
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
        has_share = block.share is not None
        stored[lead] = {"mean": mean, "titles": titles, "share": has_share, "note": block.note}
    return stored


def read_block(ensemble: xr.Dataset, system: str, wanted: Wanted, lead: int) -> Block:
    """The mean, the first available members and the share of all members at a lead."""
    name = wanted.variable
    if f"{name}_mean" in ensemble:
        mean = ensemble[f"{name}_mean"].sel(lead=lead).values
        return Block(system, {"mean": mean}, "only its mean and spread are known")
    if name not in ensemble:
        return Block(system, {}, f"{system} has no {name}")
    members = ensemble[name].sel(lead=lead)
    total, reached, known = np.zeros((3, *members.shape[1:]))
    first: dict[str, np.ndarray] = {}
    count, limit = 0, wanted.limit
    for index in range(members.sizes["member"]):
        member = members.isel(member=index).values
        finite = np.isfinite(member)
        if not finite.any():
            continue
        count += 1
        total += member
        known += finite
        if limit is not None:
            reached += limit.reached(member)
        if len(first) < wanted.members:
            label = str(members["member"].values[index])
            first[f"member {label}" if label.isdecimal() else label] = member
    if not count:
        return Block(system, {}, f"{system} has no member of {name} at {lead} h")
    if count == 1:
        return Block(system, first, "one member")
    share = None
    if limit is not None:
        share = 100.0 * np.divide(reached, known, out=np.full(known.shape, np.nan), where=known > 0)
    return Block(system, {f"mean of {count}": total / count, **first}, f"{count} members", share)
