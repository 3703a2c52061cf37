"""Writes results/fields/statistics.nc: mean and std of each variable and of its hourly change."""

from pathlib import Path

from stormdraw.fields.statistics import compute_statistics, write_statistics
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("fields_statistics", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    statistics = compute_statistics(
        [Path(path) for path in snakemake.input.fields],
        settings.roles.every,
        settings.periods.training_times(),
    )
    write_statistics(statistics, Path(snakemake.output.statistics), snakemake.params.settings)
