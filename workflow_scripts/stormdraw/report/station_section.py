"""The section "Against stations": headlines against the gridded truth and against reports."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stormdraw.archive.stations.dropped import dropped_by_reason
from stormdraw.archive.truth_names import truth_name
from stormdraw.report.side_by_side import Judgement, orders_of_systems, side_by_side
from stormdraw.report.summary import load_summary, systems_in, variables_in
from stormdraw.report.winner import mean_crps
from stormdraw.report.wording import NOTHING, digits, plural, skill_text, units_text
from stormdraw.scores.headline import headline, ratio_over_leads
from stormdraw.scores.overall import read_overall
from stormdraw.scores.stations.by_place import read_by_place
from stormdraw.scores.stations.tables import ALL
from stormdraw.scores.summary import read_table
from stormdraw.settings import Settings

HEADINGS = (
    "variable and system",
    "CRPS, grid",
    "CRPS, stations",
    "skill, grid",
    "skill, stations",
    "spread / RMSE, grid",
    "spread / RMSE, stations",
    "bias, stations",
)

_WITH_ERROR = "spread_error_ratio_with_observation_error"


@dataclass(frozen=True)
class StationSection:
    """Sentences and a table, a row for each variable at stations and each system."""

    sentences: list[str]
    headings: tuple[str, ...]
    rows: list[list[str]]


def station_section(
    summary: pd.DataFrame,
    overall: pd.DataFrame | None,
    tables: Mapping[str, Path],
    settings: Settings,
    quality: Sequence[Path] = (),
) -> StationSection | None:
    """Scores against stations beside those against the gridded truth; None without stations.

    `summary` and `overall` are against the gridded truth. `tables` are those of
    `scores_stations_summary` by name, `quality` the lists of what was dropped, a day each.
    """
    if not tables:
        return None
    at_stations = load_summary(tables["summary"])
    at_stations = at_stations[at_stations["which"] == ALL]
    places = read_by_place(tables["by_place"])
    dropped = read_table(tables["dropped"], [])
    counts = [*_counts(at_stations, places, dropped, settings), *_dropped_values(quality)]
    if places.empty:
        return StationSection(counts, HEADINGS, [])
    pair = (
        _Side(summary, overall, settings),
        _Side(at_stations, read_overall(tables["overall"]), settings),
    )
    names = variables_in(at_stations, settings)
    rows = [
        _row(name, system, pair, settings)
        for name in names
        for system in systems_in(at_stations, settings)
        if pair[1].has(system, name)
    ]
    orders = _orders(names, summary, at_stations, settings)
    return StationSection([*orders, *counts, _caveat(names, settings)], HEADINGS, rows)


class _Side:
    """The key numbers against one truth, over all leads, by (variable, system)."""

    def __init__(
        self, summary: pd.DataFrame, overall: pd.DataFrame | None, settings: Settings
    ) -> None:
        reference = settings.scores.reference
        self._numbers = _records(headline(summary, reference))
        self._scores = {
            (str(name), str(system)): rows.pivot_table(
                index="lead_hours", columns="metric", values="value", dropna=False
            )
            for (name, system), rows in summary[summary["against"] == ""].groupby(
                ["variable", "system"]
            )
        }
        known = None if overall is None else overall[overall["reference"] == reference]
        self._overall = {} if known is None else _records(known)

    def has(self, system: str, name: str) -> bool:
        return (name, system) in self._numbers

    def crps(self, system: str, name: str) -> str:
        """Fair, or that of a Gaussian, with a mark, if the system has no members."""
        if not self.has(system, name):
            return NOTHING
        numbers = self._numbers[name, system]
        if np.isnan(numbers["crps_fair"]):
            return f"{digits(numbers['crps_gaussian'])}ᵍ"
        return digits(numbers["crps_fair"])

    def skill(self, system: str, name: str) -> str:
        """Against the reference, with its confidence interval if there is one."""
        skill = self._numbers.get((name, system), {}).get("skill", np.nan)
        # The reference has no row of its own, and no skill against itself.
        pair = self._overall.get((name, system))
        if np.isnan(skill) or pair is None:
            return NOTHING
        if np.isnan(pair["ci_low"]) or np.isnan(pair["ci_high"]):
            return skill_text(skill)
        ends = skill_text(pair["ci_low"]), skill_text(pair["ci_high"])
        return f"{skill_text(skill)} ({ends[0]} to {ends[1]})"

    def ratio(self, system: str, name: str, metric: str) -> str:
        scores = self._scores.get((name, system))
        if scores is None or metric not in scores:
            return NOTHING
        ratio = ratio_over_leads(scores, metric)
        return NOTHING if np.isnan(ratio) else f"{ratio:.2f}"

    def bias(self, system: str, name: str) -> str:
        return digits(float(self._scores[name, system]["bias"].mean()))


def _records(table: pd.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of a table by variable and system."""
    rows = table.to_dict("records")
    return {
        (str(row["variable"]), str(row["system"])): {str(key): row[key] for key in row}
        for row in rows
    }


def _row(name: str, system: str, pair: tuple[_Side, _Side], settings: Settings) -> list[str]:
    grid, stations = pair
    error = settings.scores.stations.observation_error.get(name, 0.0)
    plain = stations.ratio(system, name, "spread_error_ratio")
    with_error = stations.ratio(system, name, _WITH_ERROR)
    of_stations = f"{with_error} (without error {plain})" if error else plain
    return [
        f"{name}: {system}",
        *(side.crps(system, name) for side in pair),
        *(side.skill(system, name) for side in pair),
        grid.ratio(system, name, "spread_error_ratio"),
        NOTHING if plain == NOTHING else of_stations,
        stations.bias(system, name),
    ]


def _orders(
    names: Sequence[str], summary: pd.DataFrame, at_stations: pd.DataFrame, settings: Settings
) -> list[str]:
    """Sentences on the order of systems against both truths."""
    judgements = [
        Judgement({name: truth_name(settings, name) for name in names}, _crps_of(summary, names)),
        Judgement(dict.fromkeys(names, "stations"), _crps_of(at_stations, names)),
    ]
    return orders_of_systems(side_by_side(judgements, settings))


def _crps_of(summary: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    crps = mean_crps(summary)
    return crps[crps.index.isin(names)]


def _counts(
    summary: pd.DataFrame, places: pd.DataFrame, dropped: pd.DataFrame, settings: Settings
) -> list[str]:
    stations = plural(places["station"].nunique(), "station")
    points = summary[summary["metric"] == "points"]
    reports = points.groupby(["variable", "system"])["value"].sum().groupby("variable").max()
    names = variables_in(summary, settings)
    counts = ", ".join(f"{name} {reports[name]:,.0f}" for name in names)
    sentences = [
        f"{stations} count. Forecasts and reports compared, over all cases and leads: {counts}."
        if len(places)
        else "No report of a station could be compared with a forecast."
    ]
    if len(dropped):
        reasons = Counter(dropped["reason"])
        listed = ", ".join(f"{reason} ({count:,})" for reason, count in sorted(reasons.items()))
        sentences.append(f"{plural(len(dropped), 'station')} left out: {listed}.")
    return sentences


def _dropped_values(quality: Sequence[Path]) -> list[str]:
    """What checks dropped of the reports, by reason."""
    reasons = dropped_by_reason(quality)
    if not reasons:
        return []
    listed = ", ".join(f"{reason} {count:,}" for reason, count in sorted(reasons.items()))
    return [f"Of the reports, {plural(reasons.total(), 'value')} were dropped: {listed}."]


def _caveat(names: Sequence[str], settings: Settings) -> str:
    """What scores of these variables at stations cannot tell."""
    errors = settings.scores.stations.observation_error
    known = ", ".join(
        f"{name} {errors[name]:g} {units_text(name)}" for name in names if errors.get(name)
    )
    accounted = (
        f"CRPS and spread / RMSE account for an observation error ({known})."
        if known
        else "No observation error is accounted for (scores.stations.observation_error)."
    )
    return (
        "A station is not a grid cell: it differs from the mean of its cell by its surroundings, "
        f"height and sensor, so that no forecast of cells reaches an error of 0. {accounted}"
    )
