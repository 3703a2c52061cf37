"""One number for two systems: skill over all leads, and over all variables, with its interval."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.scores.comparison import variables
from stormdraw.scores.intervals import MINIMUM_DAYS, days_with_data, uncertainty, weightings
from stormdraw.scores.score import Arrays
from stormdraw.scores.settings import Scores
from stormdraw.scores.statistics.crps import GAUSSIAN_CRPS, crps_metrics, shared_crps
from stormdraw.scores.summary import read_table
from stormdraw.scores.sums import Cases
from stormdraw.scores.verdicts import (
    BETTER,
    NO_DIFFERENCE,
    TOO_FEW_DAYS,
    TOO_FEW_DIFFER,
    UNDECIDED,
    WORSE,
)

COLUMNS = (
    "system",
    "reference",
    "variable",
    "metric",
    "leads",
    "days",
    "effective_days",
    "value",
    "reference_value",
    "skill",
    "ci_low",
    "ci_high",
    "verdict",
)
_NUMBERS = ("leads", "effective_days", "value", "reference_value", "skill", "ci_low", "ci_high")
# In the column of variables: the geometric mean over all that both systems have.
ALL = "all"


def overall(systems: Mapping[str, xr.Dataset], scores: Scores, run_seed: int) -> pd.DataFrame:
    """One row for each pair of systems and variable, and one for ALL variables, with COLUMNS.

    `systems` are those of `load_systems`.

    CRPS is the mean over leads, skill 1 - CRPS / CRPS of the other system: fair if both are
    ensembles, else that of Gaussians, which `metric` says. For ALL it is 1 - the geometric mean of
    these ratios, since a mean of kelvins and decibels would be neither; there are no values then.
    Intervals are those of `stormdraw.scores.intervals` of the logarithm of the ratio, so that a
    system is better than another one exactly where that one is worse. Verdicts are read off them:
    each row is judged alone. Leads that either system lacks are in no mean, nor those that only one
    of several days has. A skill against a CRPS of 0 or less is undefined; variables with an
    undefined ratio, or one of 0, are not in ALL.
    """
    weights = weightings(next(iter(systems.values()))["init"].values)
    crps: dict[str, dict[str, Arrays]] = {}
    data: dict[str, np.ndarray] = {}
    for name, system in systems.items():
        for variable in variables(system):
            of_variable = system.sel(variable=variable)
            crps.setdefault(name, {})[variable] = crps_metrics(Cases(of_variable, weights))
            data[variable] = np.asarray(days_with_data(of_variable).any(axis=1))
    rows = [
        {"system": own, "reference": other} | row
        for own in systems
        for other in systems
        if own != other
        for row in _compared(crps[own], crps[other], data, scores, run_seed)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def overall_text(table: pd.DataFrame, reference: str, scores: Scores) -> str:
    """Skills over ALL variables against the reference for a terminal: a title, a line a system."""
    rows = table[(table["reference"] == reference) & (table["variable"] == ALL)]
    width = max((len(name) for name in rows["system"]), default=0)
    title = f"Skill against {reference} over all variables and leads"
    lines = [f"{title}, {100 * scores.confidence:g} % interval"]
    for row in rows.to_dict("records"):
        low, high = row["ci_low"], row["ci_high"]
        interval = "" if np.isnan(low + high) else f" ({low:+.2f} to {high:+.2f})"
        gaussian = " g" if row["metric"] in GAUSSIAN_CRPS else ""
        skill = f"{row['skill']:+.2f}{gaussian}{interval}"
        lines.append(f"{row['system']:<{width}} {skill} {row['verdict']}")
    return "\n".join(lines) + "\n"


def read_overall(path: Path) -> pd.DataFrame:
    """The table as `write_summary` wrote it."""
    return read_table(path, _NUMBERS)


def _compared(
    own: Mapping[str, Arrays],
    other: Mapping[str, Arrays],
    data: Mapping[str, np.ndarray],
    scores: Scores,
    run_seed: int,
) -> Iterator[dict]:
    """The rows of two systems but for their names."""
    ratios: dict[str, list[np.ndarray]] = {}
    for variable in own:
        if variable not in other:
            continue
        metric = shared_crps(own[variable], other[variable])
        both = np.stack([own[variable][metric], other[variable][metric]])
        both = both[:, :, _enough(both, data[variable])]
        if not both.shape[2]:
            continue
        value, standard = both.mean(axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = value / np.where(standard > 0.0, standard, np.nan)
            ratios.setdefault(metric, []).append(np.log(ratio))
        yield {
            "variable": variable,
            "metric": metric,
            "leads": both.shape[2],
            "value": value[0],
            "reference_value": standard[0],
            **_judged(ratio, data[variable], scores, run_seed),
        }
    everywhere = np.logical_or.reduce(list(data.values()))
    for metric, logarithms in ratios.items():
        known = [one for one in logarithms if np.isfinite(one[0])]
        if known:
            ratio = np.exp(np.mean(known, axis=0))
            of_all = {"variable": ALL, "metric": metric}
            yield of_all | _judged(ratio, everywhere, scores, run_seed)


def _enough(both: np.ndarray, data: np.ndarray) -> np.ndarray:
    """The leads (lead,) that days have, of two systems' scores (system, 1 + 2 day, lead).

    Where there are several days with `data` (day,), each of them can be left out.
    """
    several = data.sum() > 1
    return np.isfinite(both[:, : 1 + len(data) * several]).all(axis=(0, 1))


def _judged(ratio: np.ndarray, data: np.ndarray, scores: Scores, run_seed: int) -> dict:
    """The columns of a ratio (1 + 2 day,), of days that have data (day,) or not."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.log(ratio)[:, None]
        sure = uncertainty(logarithm, data[:, None], scores.bootstrap_samples, run_seed)
    (high,), (low,) = (1.0 - np.exp(end) for end in sure.interval(scores.confidence))
    return {
        "days": int(sure.days[0]),
        "effective_days": sure.effective_days[0],
        "skill": 1.0 - ratio[0],
        "ci_low": low,
        "ci_high": high,
        "verdict": _verdict(int(sure.days[0]), low, high, scores.equivalence),
    }


def _verdict(days: int, low: float, high: float, margin: float) -> str:
    if days < MINIMUM_DAYS:
        return TOO_FEW_DAYS
    if np.isnan(low):
        return TOO_FEW_DIFFER
    if low > 0.0:
        return BETTER
    if high < 0.0:
        return WORSE
    return NO_DIFFERENCE if -margin <= low and high <= margin else UNDECIDED
