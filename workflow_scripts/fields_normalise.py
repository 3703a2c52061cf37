"""Writes results/fields/{base model}/{date}.nc, each variable float32 (time, y, x), and
results/fields/quality/{base model}/{date}.csv, its suspicious values."""

from pathlib import Path

from stormdraw.fields.normalise import normalise_day
from stormdraw.fields.writing import Destination
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("fields_normalise", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    normalise_day(
        Path(snakemake.input.manifest),
        settings.roles.every,
        Destination(
            Path(snakemake.output.fields),
            Path(snakemake.output.quality),
            settings.fields,
            snakemake.params.settings,
            snakemake.threads,
        ),
        grid_manifest=Path(snakemake.input.grid[0]) if snakemake.input.get("grid") else None,
        no_echo=settings.archive.base_model.reflectivity_floor,
    )
