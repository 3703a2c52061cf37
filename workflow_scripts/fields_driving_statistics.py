"""Writes results/fields/driving_statistics.nc: mean and std of each driving variable."""

from pathlib import Path

from stormdraw.archive.driving_needs import driving_variables, schedule_of
from stormdraw.fields.driving import DrivingReader
from stormdraw.fields.driving_statistics import (
    compute_driving_statistics,
    write_driving_statistics,
)
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("fields_driving_statistics", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    statistics = compute_driving_statistics(
        DrivingReader(
            [Path(path) for path in snakemake.input.fields],
            driving_variables(settings),
            schedule_of(settings),
        ),
        settings.periods.training_times()[1:],
    )
    write_driving_statistics(
        statistics, Path(snakemake.output.statistics), snakemake.params.settings
    )
