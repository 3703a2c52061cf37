"""Writes results/scores/stations/{system}/{init}.nc: what each station adds to the scores."""

from pathlib import Path

from stormdraw.fields.percentiles import Percentiles
from stormdraw.job import job
from stormdraw.scores.stations.case import score_stations, station_thresholds
from stormdraw.settings import load_settings

with job("scores_stations", snakemake.log[0]) as log:
    settings = load_settings(snakemake.config)
    scores = settings.scores
    scored = score_stations(
        Path(snakemake.input.ensemble),
        [Path(path) for path in snakemake.input.reports],
        Path(snakemake.output.scores),
        settings.seed,
        settings.leads,
        scores.stations,
        station_thresholds(scores.thresholds),
        Path(snakemake.input.static[0]) if snakemake.input.static else None,
        Percentiles(Path(snakemake.input.percentiles)) if scores.percentiles else None,
    )
    log.info("%d stations, %d left out", scored.sizes["station"], scored.sizes["dropped"])
