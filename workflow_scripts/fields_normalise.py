"""Writes results/fields/hrrr/{date}.nc: each variable float32 (time, y, x)."""

from pathlib import Path

from stormdraw.fields.normalise import normalise_day
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("fields_normalise", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    normalise_day(
        Path(snakemake.input.manifest),
        settings.variables,
        settings.fields.crop,
        Path(snakemake.output.fields),
        snakemake.params.settings,
        grid_manifest=Path(snakemake.input.grid[0]) if snakemake.input.get("grid") else None,
    )
