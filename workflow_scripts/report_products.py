"""Writes results/report/products_of/{system}/{init}.nc and a GRIB2 file of each product."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.report.products import KINDS, write_products

with job("report_products", snakemake.log[0]):
    write_products(
        Path(snakemake.input.ensemble),
        snakemake.params.settings["thresholds"],
        snakemake.params.settings["local_patch"],
        snakemake.output.netcdf,
        {kind: snakemake.output[kind] for kind in KINDS},
    )
