"""Tables of scores against reports of stations."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from stormdraw.scores.comparison import check_reference
from stormdraw.scores.overall import overall
from stormdraw.scores.settings import Scores
from stormdraw.scores.stations.by_place import by_place
from stormdraw.scores.stations.held_out import held_out
from stormdraw.scores.stations.systems import StationSums, station_sums
from stormdraw.scores.summary import hourly_table, table_of, write_summary

# Which stations a row of the summary is of.
ALL, HELD_OUT = "all", "held_out"


def write_tables(
    paths_by_system: Mapping[str, Sequence[Path]],
    scores: Scores,
    run_seed: int,
    standards: Sequence[str],
    outputs: Mapping[str, Path],
) -> StationSums:
    """Write all tables of scores at stations, and return the sums that they are made of.

    `paths_by_system` are files of `score_stations`. `outputs` has the paths of `summary`,
    `by_hour`, `by_place`, `overall` and `dropped`.

    Raises StormdrawError if the reference is not among the systems, and as `station_sums` does.
    """
    check_reference(scores.reference, paths_by_system)
    found = station_sums(paths_by_system)
    tables = {
        "summary": station_summary(paths_by_system, found, scores, run_seed, standards),
        "by_hour": hourly_table(found.systems, scores, standards),
        "by_place": by_place(found, scores),
        "overall": overall(found.systems, scores, run_seed),
        "dropped": pd.DataFrame(sorted(found.dropped.items()), columns=["station", "reason"]),
    }
    for name, table in tables.items():
        write_summary(table, outputs[name])
    return found


def station_summary(
    paths_by_system: Mapping[str, Sequence[Path]],
    found: StationSums,
    scores: Scores,
    run_seed: int,
    standards: Sequence[str] = (),
) -> pd.DataFrame:
    """The table of `summarise` of scores at stations, with the columns `which` and `stations`.

    `found` are the sums over all stations of these files. `which` is ALL, or HELD_OUT for the
    stations that are held out of calibration, if any is. `stations` counts those with a report at
    the lead; the metric `points` counts the reports.
    """
    share = scores.stations.held_out_share
    tables = [_summary(found, ALL, scores, run_seed, standards)]
    if any(held_out(str(name), share) for name in found.places.index):
        apart = station_sums(paths_by_system, lambda name: held_out(name, share))
        tables.append(_summary(apart, HELD_OUT, scores, run_seed, standards))
    return pd.concat(tables, ignore_index=True)


def _summary(
    found: StationSums, which: str, scores: Scores, run_seed: int, standards: Sequence[str]
) -> pd.DataFrame:
    table = table_of(found.systems, scores, run_seed, standards)
    where = zip(table["variable"], table["lead_hours"], strict=True)
    counts = [found.stations.get((name, int(lead)), 0) for name, lead in where]
    return table.assign(which=which, stations=counts)
