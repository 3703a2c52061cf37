"""The sums over stations of all systems, in the form of `stormdraw.scores.comparison`.

A report counts only if all systems that have the variable have a forecast of it, so that all are
compared on the same reports.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import leads_of
from stormdraw.scores.comparison import of_one_size, variables
from stormdraw.scores.stations.values import NONE
from stormdraw.scores.statistics.rank_histogram import NO_RANK, PIT_BINS
from stormdraw.scores.verification import probability_classes

# Summed over the stations that count, by the name of their sum.
_SUMMED = {
    "error_sum": "error",
    "variance_sum": "variance",
    "crps_standard_sum": "crps_standard",
    "crps_fair_sum": "crps_fair",
    "crps_gaussian_sum": "crps_gaussian",
    "crps_gaussian_fair_sum": "crps_gaussian_fair",
}


# Of each station: its coordinates in a file of `score_stations`.
PLACE = ("latitude", "longitude", "elevation", "terrain")


@dataclass(frozen=True)
class StationSums:
    """Sums of each system over stations, and of each station over cases and leads.

    `systems` are like those of `load_systems`, with dims (init, variable, lead, ...). `by_station`
    has dims (variable, station). `places` has the columns PLACE by station. `stations` counts those
    with any report that counts, by variable and lead. `dropped` says why a station is in no score.
    """

    systems: dict[str, xr.Dataset]
    by_station: dict[str, xr.Dataset]
    places: pd.DataFrame
    stations: dict[tuple[str, int], int]
    dropped: dict[str, str]


def station_sums(
    paths_by_system: Mapping[str, Sequence[Path]],
    chosen: Callable[[str], bool] = lambda station: True,
) -> StationSums:
    """The sums over stations that are `chosen` by their names.

    `paths_by_system` are files {init}.nc of `score_stations`. One case of all systems is in memory
    at a time.

    Raises StormdrawError if systems have other cases, or a case other stations or leads.
    """
    names = sorted(paths_by_system)
    sums: dict[str, list[xr.Dataset]] = {name: [] for name in names}
    of_each: dict[str, list[xr.Dataset]] = {name: [] for name in names}
    places: list[pd.DataFrame] = []
    counting: dict[tuple[str, int], set[str]] = {}
    dropped: dict[str, str] = {}
    for paths in _by_case(paths_by_system):
        case = {name: _load(path) for name, path in paths.items()}
        _check_alike(case, paths)
        common = _common(case, chosen)
        first = next(iter(case.values()))
        stations = first["station"].values
        for name, mask in common.items():
            for lead, here in zip(leads_of(first), mask, strict=True):
                counting.setdefault((name, lead), set()).update(stations[here])
        places.append(first[list(PLACE)].to_dataframe()[list(PLACE)])
        dropped |= dict(zip(first["dropped"].values, first["dropped_reason"].values, strict=True))
        for name, system in case.items():
            sums[name].append(_over_stations(system, common))
            of_each[name].append(_of_each_station(system, common))
    table = pd.concat(places)
    return StationSums(
        {
            name: xr.concat(of_one_size(own), "init", combine_attrs="drop").sortby("init")
            for name, own in sums.items()
        },
        {
            # A score that a case does not have is none of all cases, not 0.
            name: xr.concat(own, "case", join="outer", fill_value=0.0).sum("case", skipna=False)
            for name, own in of_each.items()
        },
        table[~table.index.duplicated()].sort_index(),
        {where: len(found) for where, found in counting.items()},
        dropped,
    )


def _by_case(paths_by_system: Mapping[str, Sequence[Path]]) -> list[dict[str, Path]]:
    """The files of each case by system, in order of time."""
    by_system = {
        name: {path.stem: path for path in paths_by_system[name]} for name in paths_by_system
    }
    every = sorted({init for paths in by_system.values() for init in paths})
    for name, paths in by_system.items():
        lacking = [init for init in every if init not in paths]
        if lacking:
            raise StormdrawError(
                f"system {name}: not scored at stations at {', '.join(lacking[:3])}, as others are"
            )
    return [{name: by_system[name][init] for name in sorted(by_system)} for init in every]


def _load(path: Path) -> xr.Dataset:
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
        return dataset.load()


def _check_alike(case: Mapping[str, xr.Dataset], paths: Mapping[str, Path]) -> None:
    first = next(iter(case))
    for name, system in case.items():
        for dim in ("station", "lead"):
            if not np.array_equal(system[dim].values, case[first][dim].values):
                raise StormdrawError(
                    f"{paths[name]}: its {dim}s are not those of {paths[first]}; delete both files "
                    "to score them again"
                )


def _common(case: Mapping[str, xr.Dataset], chosen: Callable[[str], bool]) -> dict[str, np.ndarray]:
    """Where all systems that have a variable have a value, bool (lead, station), by variable."""
    common: dict[str, np.ndarray] = {}
    for system in case.values():
        wanted = np.array([chosen(str(name)) for name in system["station"].values], bool)
        for name in variables(system):
            present = np.isfinite(system["error"].sel(variable=name).values) & wanted
            common[name] = common.get(name, True) & present
    return common


def _over_stations(system: xr.Dataset, common: Mapping[str, np.ndarray]) -> xr.Dataset:
    """The sums of a case of one system over the stations that count, (variable, lead, ...)."""
    coords = {name: system[name].variable for name in ("variable", "lead", "init")}
    if not variables(system):
        return xr.Dataset(coords=coords)
    counts = np.stack([common[name] for name in variables(system)])
    count = counts.sum(-1)
    members = np.where(count > 0, system["members"].values, 0).astype(np.int64)
    errors = system["observation_error"].values
    values = _values(system)
    values["observation_variance_sum"] = np.broadcast_to(errors[:, None, None] ** 2, counts.shape)
    dims = ("variable", "lead")
    ranks, bins = system["rank"].values, system["pit_bin"].values
    sums: dict[str, tuple] = {
        **{name: (dims, np.where(counts, own, 0.0).sum(-1)) for name, own in values.items()},
        "points": (dims, count.astype(np.int64)),
        "members": (dims, members),
        "rank_counts": ((*dims, "rank"), _counts(ranks, counts, members + 1, NO_RANK)),
        "pit_counts": (
            (*dims, "pit_bin"),
            _counts(bins, counts, np.full(members.shape, PIT_BINS), 0),
        ),
    }
    return xr.Dataset(sums | _event_sums(system, counts, members), coords)


def _values(system: xr.Dataset) -> dict[str, np.ndarray]:
    """What a station that counts adds to each sum, float64 (variable, lead, station)."""
    values = {name: system[own].values.astype(np.float64) for name, own in _SUMMED.items()}
    values["squared_error_sum"] = values["error_sum"] ** 2
    values["weight_sum"] = np.ones(values["error_sum"].shape)
    return values


def _counts(numbers: np.ndarray, counts: np.ndarray, lengths: np.ndarray, fill: int) -> np.ndarray:
    """How often each number from 0 occurs where a station counts, (variable, lead, number).

    `numbers` and `counts` are (variable, lead, station). Numbers of `lengths` (variable, lead) and
    more do not exist: there stands `fill`.
    """
    table = np.full((*lengths.shape, int(lengths.max())), fill, np.int64)
    for place in np.ndindex(lengths.shape):
        here = numbers[place][counts[place]]
        length = int(lengths[place])
        table[place][:length] = np.bincount(here[here != NONE], minlength=length)
    return table


def _event_sums(system: xr.Dataset, counts: np.ndarray, members: np.ndarray) -> dict:
    """The tables of event probabilities, with a threshold before the probability."""
    if not system.sizes.get("threshold", 0):
        return {}
    lengths = np.vectorize(probability_classes, otypes=[np.int64])(members) + 1
    everywhere: list[np.ndarray] = []
    with_event: list[np.ndarray] = []
    for index in range(system.sizes["threshold"]):
        classes = system["probability_class"].values[:, :, index]
        known = counts & (classes != NONE)
        event = known & (system["event"].values[:, :, index] == 1)
        everywhere.append(_counts(classes, known, lengths, 0))
        with_event.append(_counts(classes, event, lengths, 0))
    dims = ("variable", "lead", "threshold", "exceeding")
    found: dict = {
        "probability_weight_sum": (dims, np.stack(everywhere, axis=2).astype(np.float64)),
        "probability_event_sum": (dims, np.stack(with_event, axis=2).astype(np.float64)),
    }
    found["event"] = (("variable", "threshold"), system["threshold_text"].values)
    if "brier" in system:
        brier = system["brier"].values.astype(np.float64)
        known = counts[:, :, None] & np.isfinite(brier)
        found["brier_sum"] = (dims[:3], np.where(known, brier, 0.0).sum(-1))
    return found


def _of_each_station(system: xr.Dataset, common: Mapping[str, np.ndarray]) -> xr.Dataset:
    """The sums of a case of one system over leads, (variable, station)."""
    coords = {name: system[name].variable for name in ("variable", "station")}
    if not variables(system):
        return xr.Dataset(coords=coords)
    counts = np.stack([common[name] for name in variables(system)])
    dims = ("variable", "station")
    sums = {
        name: (dims, np.where(counts, own, 0.0).sum(axis=1))
        for name, own in _values(system).items()
    }
    return xr.Dataset(sums, coords)
