"""Writes results/points/{init}.nc: the points that every reference and baseline has."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.points import write_points
from stormdraw.settings import load_settings

with job("scores_points", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    write_points(
        [Path(path) for path in snakemake.input.ensembles],
        settings.leads,
        Path(snakemake.output.points),
        may_be_missing=settings.archive.hours_may_be_absent(),
    )
