"""Writes results/scores/stations/{system}/{init}.nc: what each station adds to the scores."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.stations.case import score_stations
from stormdraw.settings import load_settings
from stormdraw.variables import scored_variables

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
        {name: scores.fixed_thresholds(name) for name in scored_variables(settings.variables)},
        Path(snakemake.input.static[0]) if snakemake.input.static else None,
    )
    log.info("%d stations, %d left out", scored.sizes["station"], scored.sizes["dropped"])
