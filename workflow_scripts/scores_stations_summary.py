"""Writes the scores against reports of stations, results/scores/stations.csv, and beside it:

stations_by_hour.csv, by initial hour and by valid hour of the day; stations_by_place.csv, bias and
skill at each station; stations_overall.csv, each pair of systems over all leads; and
stations_dropped.csv, the stations that are in no score.
"""

from pathlib import Path

import pandas as pd

from stormdraw.job import job
from stormdraw.scores.comparison import check_reference
from stormdraw.scores.overall import overall
from stormdraw.scores.stations.systems import station_sums
from stormdraw.scores.stations.tables import by_place, station_summary
from stormdraw.scores.summary import hourly_table, write_summary
from stormdraw.settings import load_settings

with job("scores_stations_summary", snakemake.log[0]) as log:
    settings = load_settings(snakemake.config)
    scores = settings.scores
    paths: dict[str, list[Path]] = {}
    for path in map(Path, snakemake.input.values):
        paths.setdefault(path.parent.name, []).append(path)
    check_reference(scores.reference, paths)
    found = station_sums(paths)
    standards = settings.baselines()
    output = snakemake.output
    summary = station_summary(paths, found, scores, settings.seed, standards)
    write_summary(summary, Path(output.summary))
    write_summary(hourly_table(found.systems, scores, standards), Path(output.by_hour))
    write_summary(by_place(found, scores), Path(output.by_place))
    write_summary(overall(found.systems, scores, settings.seed), Path(output.overall))
    dropped = pd.DataFrame(sorted(found.dropped.items()), columns=["station", "reason"])
    write_summary(dropped, Path(output.dropped))
    log.info("%d stations, %d left out", len(found.places), len(dropped))
