"""Writes results/forecasts/{init}/{system}.zarr: the products of the NetCDF file beside it."""

from pathlib import Path

from stormdraw.forecasts.zarr_products import write_zarr
from stormdraw.job import job

with job("forecast_zarr", snakemake.log[0]):
    write_zarr(Path(snakemake.input.products), Path(snakemake.output.store))
