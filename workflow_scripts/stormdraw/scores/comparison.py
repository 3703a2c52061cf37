"""Score files of all systems, side by side, and the check that they may be compared."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.scores import registry
from stormdraw.scores.settings import WHOLE_DOMAIN
from stormdraw.times import format_init

# They say what a system lacks, and are of no score.
_TOLD_ANYWAY = {"absent_members", "missing_points", "missing_truth", "threshold_value"}


def load_systems(
    paths_by_system: Mapping[str, Sequence[Path]],
    region: str = WHOLE_DOMAIN,
    tables: Collection[str] = (),
) -> dict[str, xr.Dataset]:
    """The statistics of each system in a region, with dims (init, variable, lead) and of tables.

    Systems are in the order of name, cases in that of time. `gap` (init) says why a system has no
    forecast of a case; it is empty where it has one. Besides sums and counts these `tables` are
    loaded: all of them, of all cases, would be gigabytes. What one system lacks in a case, of a
    variable at a lead, counts for none: no point is left of it, and nothing is summed.

    Raises StormdrawError if a system has no file, two files of one case, or files that differ in
    variables or leads or lack the region; and if systems cannot be compared (see
    `check_comparable`).
    """
    systems = {
        name: load_system(name, paths_by_system[name], region, tables)
        for name in sorted(paths_by_system)
    }
    check_comparable(systems)
    return _without_gaps(systems)


def _without_gaps(systems: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """The same systems; where one that has the variable has no point, all count none."""
    gaps: dict[str, np.ndarray] = {}
    for system in systems.values():
        for name in variables(system):
            gap = system["points"].sel(variable=name).values == 0
            gaps[name] = gaps.get(name, False) | gap
    return {name: _without(system, gaps) for name, system in systems.items()}


def _without(system: xr.Dataset, gaps: Mapping[str, np.ndarray]) -> xr.Dataset:
    """A system that counts nothing at gaps (init, lead) of each variable."""
    gone = np.stack([gaps[name] for name in variables(system)], axis=1)
    if not (gone & (system["points"].values > 0)).any():
        return system
    counted = xr.DataArray(~gone, dims=("init", "variable", "lead"))
    blank = {
        name: values.where(counted, 0)
        for name, values in system.data_vars.items()
        if name not in _TOLD_ANYWAY
    }
    return system.assign(blank)


def check_reference(reference: str | None, systems: Collection[str]) -> None:
    """Raise StormdrawError if there is a reference, and it is not among the systems."""
    if reference is not None and reference not in systems:
        raise StormdrawError(
            f"scores.reference is {reference!r}, which has no scores; there are those of "
            f"{', '.join(sorted(systems))}"
        )


def check_comparable(systems: Mapping[str, xr.Dataset]) -> None:
    """Whether all systems are scored on the same cases, leads and points.

    A system may lack a variable that others have, or all points of it. Where two have it, the
    points must be the same ones, not only as many.

    Raises StormdrawError naming the system that differs from most others.
    """
    _must_agree("cases", {name: cases(system) for name, system in systems.items()}, _differing)
    _must_agree("leads", {name: leads(system) for name, system in systems.items()}, _differing)
    for variable, having in by_variable(systems):
        masks = np.stack([system["mask_checksum"].values for system in having.values()])
        complete = np.all([system["points"].values > 0 for system in having.values()], axis=0)
        differing = np.argwhere((masks != masks[0]).any(axis=0) & complete)
        for case, lead in differing[:1]:
            first = next(iter(having.values()))
            block = f"{variable} at {cases(first)[case]}, lead {leads(first)[lead]} h"
            points = {
                name: (int(system["points"][case, lead]), int(system["mask_checksum"][case, lead]))
                for name, system in having.items()
            }
            _must_agree(f"points of {block}", points, _counted)


def by_variable(systems: Mapping[str, xr.Dataset]) -> Iterator[tuple[str, dict[str, xr.Dataset]]]:
    """Each variable in the order of names, and the systems that have it, of it alone."""
    for variable in sorted({name for system in systems.values() for name in variables(system)}):
        having = {name: own for name, own in systems.items() if variable in variables(own)}
        yield variable, {name: own.sel(variable=variable) for name, own in having.items()}


def cases(system: xr.Dataset) -> list[str]:
    """The initial times of a system as YYYYMMDDHH."""
    return [format_init(time) for time in pd.DatetimeIndex(system["init"].values)]


def leads(system: xr.Dataset) -> list[int]:
    """The leads of a system in hours."""
    return [int(lead) for lead in system["lead"].values]


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
    """The statistics of one system as `load_systems` has them, `only` of some variables.

    Raises StormdrawError as that does, but for the comparison with others.
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
                raise StormdrawError(f"{path}: no region {region!r}; score this case anew")
            of_region = statistics.sel(region=region).drop_vars("region")
            if only is not None:
                of_region = of_region.sel(variable=[v for v in variables(statistics) if v in only])
            gap = ("init", np.array([statistics.attrs.get("missing", "")], dtype=object))
            loaded.append(of_region.load().expand_dims("init").assign_coords(gap=gap))
        for what, values in (("variables", variables), ("leads", leads)):
            if values(loaded[-1]) != values(loaded[0]):
                raise StormdrawError(
                    f"{path}: {what} {values(loaded[-1])} differ from {values(loaded[0])} in "
                    f"{paths[0]}; score all cases of {name} alike"
                )
    system = xr.concat(_of_one_size(loaded), "init", combine_attrs="drop").sortby("init")
    twice = [case for case, count in Counter(cases(system)).items() if count > 1]
    if twice:
        raise StormdrawError(f"system {name}: two score files of the case {', '.join(twice)}")
    return system


def _of_one_size(cases: list[xr.Dataset]) -> list[xr.Dataset]:
    """Cases whose tables are filled up to the longest: members may be absent in some."""
    named = {str(name) for case in cases for name in case.data_vars}
    fill = {name: own.fill for name, own in registry.sums().items() if name in named}
    for name in fill:
        having = next(case[name] for case in cases if name in case)
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
        # Mostly nothing is short, and padding copies everything.
        padded.append(case.pad(short, constant_values=fill) if short else case)
    return padded


def _must_agree(what: str, values: Mapping[str, Any], describe: Callable[[Any, Any], str]) -> None:
    """Raise StormdrawError naming the systems whose value is not the most common one.

    `describe` tells a value, given also the most common one.
    """
    counted = Counter(str(value) for value in values.values())
    common = counted.most_common(1)[0][0]
    usual = next(value for value in values.values() if str(value) == common)
    odd = {name: value for name, value in values.items() if str(value) != common}
    if odd:
        others = ", ".join(name for name in values if name not in odd)
        told = "; ".join(f"{name} has {describe(value, usual)}" for name, value in odd.items())
        raise StormdrawError(
            f"scores: the {what} are not the same for all systems: {told}, while {others} has "
            f"{describe(usual, usual)}; score every system on the same cases, leads and points"
        )


def _differing(own: list[Any], usual: list[Any]) -> str:
    """A list of cases or leads, told by how it differs from the usual one."""
    missing = [str(value) for value in usual if value not in own]
    besides = [str(value) for value in own if value not in usual]
    told = []
    if missing:
        told.append(f"without {', '.join(missing)}")
    if besides:
        told.append(f"with {', '.join(besides)} besides")
    return f"{len(own)} ({', '.join(told)})" if told else str(len(own))


def _counted(own: tuple[int, int], usual: tuple[int, int]) -> str:
    """How many points a system has, and whether they are other ones than usual.

    Both values are the number of points and the checksum of which points they are.
    """
    others = "other " if own[0] == usual[0] and own[1] != usual[1] else ""
    return f"{own[0]} {others}points"
