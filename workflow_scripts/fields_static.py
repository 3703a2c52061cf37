"""Writes results/fields/static.nc: each static variable float32 (y, x)."""

from pathlib import Path

from stormdraw.fields.normalise import normalise_static
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("fields_static", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    normalise_static(
        Path(snakemake.input.manifest[0]),
        settings.fields.static,
        settings.fields,
        Path(snakemake.output.fields),
        snakemake.params.settings,
    )
