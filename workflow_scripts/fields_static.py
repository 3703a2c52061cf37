"""Writes results/fields/static.nc, each static variable float32 (y, x), and
results/fields/quality/static/all.csv, its suspicious values."""

from pathlib import Path

from stormdraw.fields.normalise import normalise_static
from stormdraw.fields.writing import Destination
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("fields_static", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    normalise_static(
        Path(snakemake.input.manifest[0]),
        settings.fields.static,
        settings.archive.base_model.title,
        Destination(
            Path(snakemake.output.fields),
            Path(snakemake.output.quality),
            settings.fields,
            snakemake.params.settings,
            snakemake.threads,
        ),
    )
