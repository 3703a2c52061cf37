"""Is a system better than the reference or a baseline, worse, or is there no telling?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.scores.bootstrap import MINIMUM_DAYS, days_by_lead, interval, resamplings
from stormdraw.scores.comparison import leads, load_systems, variables
from stormdraw.scores.score import Arrays
from stormdraw.scores.settings import SCORED_VARIABLES
from stormdraw.scores.statistics.crps import crps_metrics, shared_crps
from stormdraw.scores.sums import Cases, smallest_ensembles

COLUMNS = (
    "system",
    "reference",
    "variable",
    "lead_hours",
    "metric",
    "members",
    "reference_members",
    "cases",
    "days",
    "value",
    "reference_value",
    "difference",
    "ci_low",
    "ci_high",
    "verdict",
    "own_crps_fair",
)
_NUMBERS = ("value", "reference_value", "difference", "ci_low", "ci_high", "own_crps_fair")
TOO_FEW_DAYS = f"undecided: fewer than {MINIMUM_DAYS} days"


@dataclass(frozen=True)
class _Scored:
    """What is compared of one system and variable: scores (resample, lead), the rest (lead,)."""

    scores: Arrays
    members: np.ndarray
    cases: np.ndarray
    days: np.ndarray


def verdicts(
    paths_by_system: Mapping[str, Sequence[Path]],
    reference: str | None,
    bootstrap_samples: int,
    confidence: float,
    run_seed: int,
    standards: Sequence[str] = (),
) -> pd.DataFrame:
    """One row for each other system, variable and lead, with columns COLUMNS.

    Systems are held against `reference`, and then against each of `standards`. `difference` is the
    CRPS minus that of the reference: fair if both are ensembles; else, which `metric` then says,
    that of a Gaussian with either's mean and spread. Its interval is of paired differences, over
    the same resampled days, and `days` tells how many have data at the lead. `own_crps_fair` is the
    system's full CRPS, to stand beside a Gaussian one. What the two do not both have is left out;
    with nothing to compare with the table is empty.

    Raises StormdrawError if `reference` is not among the systems, and as `load_systems` does.
    """
    if reference is not None and reference not in paths_by_system:
        raise StormdrawError(
            f"scores.reference is {reference!r}, which has no scores; there are those of "
            f"{', '.join(sorted(paths_by_system))}"
        )
    against = [name for name in dict.fromkeys([reference, *standards]) if name is not None]
    if not against:
        return pd.DataFrame(columns=list(COLUMNS))
    systems = load_systems(paths_by_system)
    resamples = resamplings(systems[against[0]]["init"].values, bootstrap_samples, run_seed)
    rows: dict[str, list[tuple]] = {name: [] for name in against}
    for variable in _all_variables(systems):
        scored = {
            name: _score(system.sel(variable=variable), resamples)
            for name, system in systems.items()
            if variable in variables(system)
        }
        for standard in against:
            for name in sorted(set(scored) - {standard}) if standard in scored else ():
                compared = _compare(scored[name], scored[standard], confidence)
                for lead, row in zip(leads(systems[name]), compared, strict=True):
                    rows[standard].append((name, standard, variable, lead, *row))
    everything = [row for of_one in rows.values() for row in of_one]
    return pd.DataFrame(everything, columns=list(COLUMNS))


def _all_variables(systems: Mapping[str, xr.Dataset]) -> list[str]:
    """The variables of any system, in the order of the table of variables."""
    there = {name for system in systems.values() for name in variables(system)}
    return sorted(there, key=SCORED_VARIABLES.index)


def _score(system: xr.Dataset, resamples: np.ndarray) -> _Scored:
    return _Scored(
        crps_metrics(Cases(system, resamples)),
        smallest_ensembles(system),
        (system["points"].values > 0).sum(axis=0),
        days_by_lead(system),
    )


def _compare(own: _Scored, other: _Scored, confidence: float) -> Iterator[tuple]:
    """The columns from `metric` on, a row for each lead."""
    metric = shared_crps(own.scores, other.scores)
    value, standard = own.scores[metric], other.scores[metric]
    low, high = interval(value - standard, confidence, own.days)
    full = own.scores.get("crps_fair", np.full(value.shape, np.nan))
    for index in range(value.shape[1]):
        yield (
            metric,
            int(own.members[index]),
            int(other.members[index]),
            int(own.cases[index]),
            int(own.days[index]),
            value[0, index],
            standard[0, index],
            value[0, index] - standard[0, index],
            low[index],
            high[index],
            verdict(low[index], high[index]),
            full[0, index],
        )


def read_verdicts(path: Path) -> pd.DataFrame:
    """The table of verdicts as `write_summary` wrote it."""
    # Only numbers can be undefined, not the name of a system.
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(_NUMBERS, np.float64),
        keep_default_na=False,
        na_values={name: [""] for name in _NUMBERS},
    )


def verdict(low: float, high: float) -> str:
    """What an interval of CRPS minus the reference's CRPS says; lower is better."""
    if np.isnan(low) or np.isnan(high):
        return TOO_FEW_DAYS
    if high < 0.0:
        return "better"
    return "worse" if low > 0.0 else "no difference"


def caveats(table: pd.DataFrame, confidence: float) -> list[str]:
    """What must be said beside a table of verdicts, a sentence or two each."""
    if table.empty:
        return []
    notes = [_blocks(table, confidence)]
    sizes = sorted({*table["members"].astype(int), *table["reference_members"].astype(int)})
    if len(sizes) > 1:
        notes.append(
            f"Ensembles of {', '.join(map(str, sizes))} members (0: known by mean and spread): the "
            "fair CRPS takes their size out for exchangeable members, and only approximately for "
            "members of different models or ages."
        )
    if 1 in sizes:
        notes.append(
            "The CRPS of a single member is its absolute error: it has no spread to be paid for."
        )
    if (table["metric"] == "crps_gaussian").any():
        notes.append(
            "Where the metric is crps_gaussian, both systems are scored as Gaussians with their "
            "mean and spread; own_crps_fair is the full ensemble's, not to be set against them."
        )
    return notes


def _blocks(table: pd.DataFrame, confidence: float) -> str:
    """How many blocks intervals come from, or why there are none."""
    fewest, most = int(table["days"].min()), int(table["days"].max())
    days = str(most) if fewest == most else f"{fewest} to {most}"
    if most < MINIMUM_DAYS:
        return f"{days} initial days: an interval needs at least {MINIMUM_DAYS}, and none is given."
    note = (
        f"Intervals of {confidence:.0%} from {days} blocks, the initial days, resampled in pairs. "
        "Each row is judged alone: one in many differs by chance."
    )
    if fewest < MINIMUM_DAYS:
        note += f" With fewer than {MINIMUM_DAYS} an interval is withheld."
    return note
