"""Writes results/fields/percentiles.nc: percentiles that thresholds are, over training times."""

from pathlib import Path

from stormdraw.fields.percentiles import write_percentiles
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("fields_percentiles", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    write_percentiles(
        [Path(path) for path in snakemake.input.fields],
        settings.scores.percentiles,
        settings.periods.training_times(),
        Path(snakemake.output.percentiles),
        snakemake.params.settings,
    )
