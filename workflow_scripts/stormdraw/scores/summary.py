"""Tidy tables of the scores of all systems: whole domain, regions, and hours of the day."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.fields.netcdf import leads_of
from stormdraw.files import replacing
from stormdraw.scores import registry
from stormdraw.scores.comparison import by_variable, check_reference, load_systems
from stormdraw.scores.intervals import days_of, days_with_data, uncertainty, weightings
from stormdraw.scores.parameters import PARAMETERS
from stormdraw.scores.settings import WHOLE_DOMAIN, Scores
from stormdraw.scores.sums import Cases, all_metrics, smallest_ensembles

COLUMNS = (
    "system",
    "variable",
    "lead_hours",
    "metric",
    "members",
    "cases",
    "value",
    "ci_low",
    "ci_high",
    "undefined_share",
    "against",
    *PARAMETERS,
    "init_hour",
    "valid_hour",
)
_NUMBERS = (
    *("lead_hours", "value", "ci_low", "ci_high", "undefined_share"),
    *("width", "probability", "init_hour", "valid_hour"),
)
# The sort is stable: rows that are equal in these stay in the order of their parameters.
_ORDER = ["init_hour", "valid_hour", *COLUMNS[:4], "against"]


def summarise(
    paths_by_system: Mapping[str, Sequence[Path]],
    scores: Scores,
    run_seed: int,
    standards: Sequence[str] = (),
    region: str = WHOLE_DOMAIN,
) -> pd.DataFrame:
    """One row for each system, variable, lead and metric, with columns COLUMNS, sorted.

    `members` is the smallest number over cases, 0 if only mean and spread are known. `cases` counts
    the cases with a point that counts at the lead; other cases do not enter its scores. `ci_low`
    and `ci_high` bound a score at `scores.confidence` (`stormdraw.scores.intervals`), NaN with too
    few days. `undefined_share` is the share of resamples in which the score is undefined, such as
    those without an event. `against` is the system that a skill is measured against: the reference,
    if there is one, and each of `standards`; it is empty for other metrics. `threshold` is the
    event's `Threshold.text`, and empty for metrics without a threshold. `width` (of the
    neighbourhood) and `probability` (of a warning) are NaN for metrics without them. `init_hour`
    and `valid_hour` are NaN for all hours of the day. The files must have been made with the
    neighbourhoods of `scores`.

    Raises StormdrawError if the reference is not among the systems, and like `load_systems`.
    """
    check_reference(scores.reference, paths_by_system)
    systems = load_systems(paths_by_system, region, registry.tables_of_metrics())
    return table_of(systems, scores, run_seed, standards)


def table_of(
    systems: Mapping[str, xr.Dataset], scores: Scores, run_seed: int, standards: Sequence[str] = ()
) -> pd.DataFrame:
    """The table of `summarise` of systems with dims (init, variable, lead, ...)."""
    rows = list(_all_rows(systems, scores, standards, run_seed))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(_ORDER, ignore_index=True)


def by_hour(
    paths_by_system: Mapping[str, Sequence[Path]], scores: Scores, standards: Sequence[str] = ()
) -> pd.DataFrame:
    """The table of `hourly_table` of files of scores."""
    systems = load_systems(paths_by_system, tables=registry.tables_of_metrics())
    return hourly_table(systems, scores, standards)


def hourly_table(
    systems: Mapping[str, xr.Dataset], scores: Scores, standards: Sequence[str] = ()
) -> pd.DataFrame:
    """The scores of `table_of` by hour of the day (UTC), with its columns but without intervals.

    First come the scores of each `init_hour`, with `valid_hour` = init + lead modulo 24. Then come
    those of each `valid_hour`, combining all leads: `init_hour` and `lead_hours` are NaN, and
    `cases` counts each lead of a case.
    """
    inits, all_leads = (next(iter(systems.values()))[name].values for name in ("init", "lead"))
    initial = pd.DatetimeIndex(inits).hour.to_numpy()
    valid = (initial[:, None] + all_leads) % 24
    tables = []
    for hour in np.unique(initial):
        of_hour = {
            name: one.isel(init=np.flatnonzero(initial == hour)) for name, one in systems.items()
        }
        table = pd.DataFrame(_all_rows(of_hour, scores, standards), columns=list(COLUMNS))
        hours = {"init_hour": float(hour), "valid_hour": (hour + table["lead_hours"]) % 24.0}
        tables.append(table.assign(**hours))
    for hour in np.unique(valid):
        of_hour = {name: _pooled_leads(one, valid == hour) for name, one in systems.items()}
        table = pd.DataFrame(_all_rows(of_hour, scores, standards), columns=list(COLUMNS))
        tables.append(table.assign(lead_hours=np.nan, valid_hour=float(hour)))
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values(_ORDER, ignore_index=True)


def _pooled_leads(system: xr.Dataset, chosen: np.ndarray) -> xr.Dataset:
    """The `chosen` (init, lead) cases and leads, all as cases at a single lead."""
    parts = [
        system.isel(lead=[index], init=np.flatnonzero(at_lead)).assign_coords(lead=[0])
        for index, at_lead in enumerate(chosen.T)
        if at_lead.any()
    ]
    return xr.concat(parts, "init")


def tidy_scores(
    paths_by_system: Mapping[str, Sequence[Path]],
    scores: Scores,
    run_seed: int,
    standards: Sequence[str] = (),
    domain: pd.DataFrame | None = None,
    hours: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The scores of all regions: the columns of the summary, plus `region` and `days`.

    `days` is the number of days with an initial time. `domain` is the summary of the whole domain
    if it exists already. `hours` is the table of `by_hour`, which is appended.
    """
    name, paths = next(iter(paths_by_system.items()))
    inits = load_systems({name: paths})[name]["init"].values
    tables = []
    for region in (WHOLE_DOMAIN, *scores.regions):
        if region == WHOLE_DOMAIN and domain is not None:
            table = domain.copy()
        else:
            table = summarise(paths_by_system, scores, run_seed, standards, region)
        tables.append(table.assign(region=region))
    if hours is not None:
        tables.append(hours.assign(region=WHOLE_DOMAIN))
    table = pd.concat(tables, ignore_index=True).astype({"lead_hours": "Int64"})
    table.insert(3, "region", table.pop("region"))
    after = int(table.columns.get_loc("cases")) + 1  # type: ignore[arg-type]
    table.insert(after, "days", len(days_of(inits)))
    return table


def write_tidy(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet; equal tables give equal bytes."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, engine="pyarrow", index=False)


def write_summary(summary: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV; equal tables give equal bytes. Undefined values are empty."""
    with replacing(path) as temporary:
        summary.to_csv(temporary, index=False, float_format="%.9g", lineterminator="\n")


def read_summary(path: Path) -> pd.DataFrame:
    """Read a table of `summarise` or `by_hour` that `write_summary` wrote."""
    table = read_table(path, _NUMBERS)
    if "lead_hours" in table and table["lead_hours"].notna().all():
        table = table.astype({"lead_hours": np.int64})
    return table


def read_table(path: Path, numbers: Sequence[str]) -> pd.DataFrame:
    """Read a table that `write_summary` wrote; `numbers` are the columns that can be undefined."""
    # By default pandas would read systems called `null` or `nan` as missing.
    return pd.read_csv(
        path,
        # Thresholds and stations are texts, some of which look like numbers.
        dtype={**dict.fromkeys(numbers, np.float64), "threshold": str, "station": str},
        keep_default_na=False,
        na_values={name: [""] for name in numbers},
    )


def _all_rows(
    systems: Mapping[str, xr.Dataset],
    scores: Scores,
    standards: Sequence[str],
    run_seed: int | None = None,
) -> Iterator[tuple]:
    """The rows of a table with COLUMNS. Without a seed there are no intervals."""
    for variable, having in by_variable(systems):
        inits = next(iter(having.values()))["init"].values
        weights = np.ones((1, len(inits))) if run_seed is None else weightings(inits)
        reference = having.get(scores.reference or "")
        matched = None if reference is None else reference["members"].values
        cases = {
            name: Cases(system, weights, matched, scores.parameters)
            for name, system in having.items()
        }
        for name, metrics in _metrics(cases, [scores.reference, *standards]).items():
            for row in _rows(cases[name], metrics, scores, run_seed or 0):
                yield (name, variable, *row)


def _metrics(
    cases: Mapping[str, Cases], standards: Sequence[str | None]
) -> dict[str, dict[tuple[str, str], np.ndarray]]:
    """The scores (weighting, lead, ...) of each system, by metric and `against`."""
    by_system = {name: all_metrics(of_system) for name, of_system in cases.items()}
    # The number of points is not an estimate and has no interval.
    scores = {
        name: {(metric, ""): values for metric, values in metrics.items()}
        | {("points", ""): cases[name]["points"][:1]}
        for name, metrics in by_system.items()
    }
    for against in dict.fromkeys(standards):
        if against not in by_system:
            continue
        for name in scores:
            for score in registry.scores().values():
                pair = by_system[name], by_system[against]
                skills = score.against(*pair) if score.against else {}
                scores[name].update({(metric, against): skill for metric, skill in skills.items()})
    return scores


def _rows(
    cases: Cases,
    metrics: Mapping[tuple[str, str], np.ndarray],
    scores: Scores,
    run_seed: int,
) -> Iterator[tuple]:
    """The columns from `lead_hours` on, for one system and variable."""
    members = smallest_ensembles(cases.system)
    counts = cases.counted.sum(axis=0)
    data = days_with_data(cases.system)
    leads = leads_of(cases.system)
    presentations = registry.metrics()
    for (metric, against), array in metrics.items():
        dims = presentations[metric].dims if metric in presentations else ()
        combinations = list(product(*(cases.parameters[dim] for dim in dims)))
        flat = array.reshape(*array.shape[:2], len(combinations))
        for place, parameters in enumerate(combinations):
            values = flat[..., place]
            ends = np.full((3, values.shape[1]), np.nan)
            if len(values) > 1:
                estimate = uncertainty(values, data, scores.bootstrap_samples, run_seed)
                ends = np.stack([*estimate.interval(scores.confidence), estimate.undefined_share])
            by_name = dict(zip(dims, parameters, strict=True))
            of_row = [by_name.get(name, default) for name, default in PARAMETERS.items()]
            for index, lead in enumerate(leads):
                # Adding 0.0 turns -0.0, which would be written with its sign, into 0.0.
                numbers = [float(value) + 0.0 for value in (values[0, index], *ends[:, index])]
                sizes = int(members[index]), int(counts[index])
                yield lead, metric, *sizes, *numbers, against, *of_row, np.nan, np.nan
