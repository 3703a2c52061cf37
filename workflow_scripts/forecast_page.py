"""Writes results/forecasts/{init}/index.html: maps and meteograms of a forecast, one page."""

from pathlib import Path

from stormdraw.forecasts.page import write_page
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("forecast_page", snakemake.log[0]):
    systems = snakemake.params.systems
    write_page(
        load_settings(snakemake.config),
        dict(zip(systems, map(Path, snakemake.input.ensembles), strict=True)),
        dict(zip(systems, map(Path, snakemake.input.products), strict=True)),
        Path(snakemake.output.page),
    )
