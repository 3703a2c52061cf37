"""Writes the scores against reports of stations, results/scores/stations.csv, and beside it:

stations_by_hour.csv, by initial hour and by valid hour of the day; stations_by_place.csv, bias and
skill at each station; stations_overall.csv, each pair of systems over all leads; and
stations_dropped.csv, the stations that are in no score.
"""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.stations.tables import write_tables
from stormdraw.settings import load_settings

with job("scores_stations_summary", snakemake.log[0]) as log:
    settings = load_settings(snakemake.config)
    paths: dict[str, list[Path]] = {}
    for path in map(Path, snakemake.input.scores):
        paths.setdefault(path.parent.name, []).append(path)
    outputs = {name: Path(path) for name, path in snakemake.output.items()}
    found = write_tables(paths, settings.scores, settings.seed, settings.baselines(), outputs)
    log.info("%d stations, %d left out", len(found.places), len(found.dropped))
