"""Load the score files of all systems and check that the systems can be compared."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import leads_of
from stormdraw.scores import registry
from stormdraw.scores.settings import WHOLE_DOMAIN
from stormdraw.times import format_init

# These describe what a system lacks and its thresholds. They belong to no score and are kept.
_KEPT = {"absent_members", "missing_points", "missing_truth", "event"}


def load_systems(
    paths_by_system: Mapping[str, Sequence[Path]],
    region: str = WHOLE_DOMAIN,
    tables: Collection[str] = (),
) -> dict[str, xr.Dataset]:
    """The statistics of each system in a region, with dims (init, variable, lead, ...).

    Systems are sorted by name, cases by time. `gap` (init) says why a system has no forecast of a
    case, and is empty otherwise. Besides plain sums and counts only these `tables` are loaded,
    because all tables of all cases would take gigabytes. If one system has no point of a variable
    at a lead of a case, that lead of the case is emptied for all systems.

    Raises StormdrawError if a system has no file, two files of one case, or files that differ in
    variables or leads or lack the region, or if systems cannot be compared (`check_comparable`).
    """
    systems = {
        name: load_system(name, paths_by_system[name], region, tables)
        for name in sorted(paths_by_system)
    }
    check_comparable(systems)
    return _without_gaps(systems)


def _without_gaps(systems: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """The systems, emptied wherever one system that has the variable has no point."""
    gaps: dict[str, np.ndarray] = {}
    for system in systems.values():
        for name in variables(system):
            gap = system["points"].sel(variable=name).values == 0
            gaps[name] = gaps.get(name, False) | gap
    return {name: _without(system, gaps) for name, system in systems.items()}


def _without(system: xr.Dataset, gaps: Mapping[str, np.ndarray]) -> xr.Dataset:
    """A system with all sums set to 0 at the gaps (init, lead) of each variable."""
    empty = np.stack([gaps[name] for name in variables(system)], axis=1)
    if not (empty & (system["points"].values > 0)).any():
        return system
    counted = xr.DataArray(~empty, dims=("init", "variable", "lead"))
    blank = {
        name: values.where(counted, 0)
        for name, values in system.data_vars.items()
        if name not in _KEPT
    }
    return system.assign(blank)


def check_reference(reference: str | None, systems: Collection[str]) -> None:
    """Raise StormdrawError if there is a reference that is not among the systems."""
    if reference is not None and reference not in systems:
        raise StormdrawError(
            f"scores.reference is {reference!r}, which has no scores; choose one of "
            f"{', '.join(sorted(systems))}"
        )


def check_comparable(systems: Mapping[str, xr.Dataset]) -> None:
    """Check that all systems are scored on the same cases, leads and points.

    A system may lack a variable or all its points. Otherwise the points must be identical, not only
    equal in number.

    Raises StormdrawError naming the systems that differ from most others.
    """
    _must_agree("cases", {name: cases(system) for name, system in systems.items()}, _differing)
    _must_agree("leads", {name: leads_of(system) for name, system in systems.items()}, _differing)
    for variable, having in by_variable(systems):
        masks = np.stack([system["mask_checksum"].values for system in having.values()])
        complete = np.all([system["points"].values > 0 for system in having.values()], axis=0)
        differing = np.argwhere((masks != masks[0]).any(axis=0) & complete)
        for case, lead in differing[:1]:
            first = next(iter(having.values()))
            block = f"{variable} at {cases(first)[case]}, lead {leads_of(first)[lead]} h"
            points = {
                name: (int(system["points"][case, lead]), int(system["mask_checksum"][case, lead]))
                for name, system in having.items()
            }
            _must_agree(f"points of {block}", points, _counted)


def by_variable(systems: Mapping[str, xr.Dataset]) -> Iterator[tuple[str, dict[str, xr.Dataset]]]:
    """Each variable, sorted by name, with the data of the systems that have it."""
    for variable in sorted({name for system in systems.values() for name in variables(system)}):
        having = {name: own for name, own in systems.items() if variable in variables(own)}
        yield variable, {name: own.sel(variable=variable) for name, own in having.items()}


def cases(system: xr.Dataset) -> list[str]:
    """The initial times of a system as YYYYMMDDHH."""
    return [format_init(time) for time in pd.DatetimeIndex(system["init"].values)]


def variables(system: xr.Dataset) -> list[str]:
    """The variables of a system."""
    return [str(name) for name in system["variable"].values]


def load_system(
    name: str,
    paths: Sequence[Path],
    region: str = WHOLE_DOMAIN,
    tables: Collection[str] = (),
    only: Collection[str] | None = None,
) -> xr.Dataset:
    """The statistics of one system as in `load_systems`, optionally `only` of some variables.

    Raises StormdrawError like `load_systems`, except for the comparison with other systems.
    """
    left_out = [*registry.map_sums(), *(registry.tables() - set(tables))]
    if not paths:
        raise StormdrawError(f"system {name}: no score file; score at least one case")
    loaded: list[xr.Dataset] = []
    for path in paths:
        with xr.open_dataset(
            path, engine="netcdf4", decode_timedelta=False, drop_variables=left_out
        ) as statistics:
            if region not in statistics["region"].values:
                raise StormdrawError(f"{path}: no region {region!r}; score this case again")
            of_region = statistics.sel(region=region).drop_vars("region")
            if only is not None:
                of_region = of_region.sel(variable=[v for v in variables(statistics) if v in only])
            gap = ("init", np.array([statistics.attrs.get("missing", "")], dtype=object))
            loaded.append(of_region.load().expand_dims("init").assign_coords(gap=gap))
        for what, values in (("variables", variables), ("leads", leads_of)):
            if values(loaded[-1]) != values(loaded[0]):
                raise StormdrawError(
                    f"{path}: {what} {values(loaded[-1])} differ from {values(loaded[0])} in "
                    f"{paths[0]}; score all cases of {name} alike"
                )
    system = xr.concat(of_one_size(loaded), "init", combine_attrs="drop").sortby("init")
    twice = [case for case, count in Counter(cases(system)).items() if count > 1]
    if twice:
        raise StormdrawError(f"system {name}: two score files of the case {', '.join(twice)}")
    return system


def of_one_size(cases: list[xr.Dataset]) -> list[xr.Dataset]:
    """Pad the tables of all cases to the longest, since some cases may lack members."""
    present = {str(name) for case in cases for name in case.data_vars}
    fill: dict[str, Any] = {
        name: own.fill for name, own in registry.sums().items() if name in present
    }
    for name in fill:
        # Without its coordinates: another case's initial time would leave NaN in place of the fill.
        having = next(case[name].variable for case in cases if name in case)
        for index, case in enumerate(cases):
            if name not in case:
                cases[index] = case.assign({name: xr.full_like(having, fill[name])})
    dims = {dim for case in cases for dim in case.dims} - {"init", "variable", "lead"}
    longest = {str(dim): max(case.sizes.get(dim, 0) for case in cases) for dim in dims}
    padded = []
    for case in cases:
        short = {
            dim: (0, length - case.sizes[dim])
            for dim, length in longest.items()
            if length > case.sizes[dim]
        }
        # Padding copies everything, and is rarely needed.
        padded.append(case.pad(short, constant_values=fill) if short else case)
    return padded


def _must_agree(what: str, values: Mapping[str, Any], describe: Callable[[Any, Any], str]) -> None:
    """Raise StormdrawError naming the systems whose value is not the most common one.

    `describe(value, usual)` puts a value into words, given the most common one.
    """
    counts = Counter(str(value) for value in values.values())
    most_common = counts.most_common(1)[0][0]
    usual = next(value for value in values.values() if str(value) == most_common)
    odd = {name: value for name, value in values.items() if str(value) != most_common}
    if odd:
        others = ", ".join(name for name in values if name not in odd)
        odd_text = "; ".join(f"{name} has {describe(value, usual)}" for name, value in odd.items())
        raise StormdrawError(
            f"scores: the {what} are not the same for all systems: {odd_text}, while {others} has "
            f"{describe(usual, usual)}; score every system on the same cases, leads and points"
        )


def _differing(values: list[Any], usual: list[Any]) -> str:
    """The number of cases or leads, and how they differ from the usual ones."""
    missing = [str(value) for value in usual if value not in values]
    additional = [str(value) for value in values if value not in usual]
    differences = []
    if missing:
        differences.append(f"without {', '.join(missing)}")
    if additional:
        differences.append(f"additionally {', '.join(additional)}")
    return f"{len(values)} ({', '.join(differences)})" if differences else str(len(values))


def _counted(points: tuple[int, int], usual: tuple[int, int]) -> str:
    """The number of points, and whether they differ from the usual ones.

    Both arguments are (number of points, checksum of their mask).
    """
    others = "other " if points[0] == usual[0] and points[1] != usual[1] else ""
    return f"{points[0]} {others}points"
