"""Writes results/report/products/{init}.nc and .mean, .sprd, .pmmn and .prob.grib2."""

from stormdraw.job import job
from stormdraw.report.products import KINDS, write_products
from stormdraw.settings import load_settings

with job("report_products", snakemake.log[0]):
    write_products(
        load_settings(snakemake.config),
        snakemake.input.summary or None,
        snakemake.input.ensembles,
        snakemake.output.netcdf,
        {kind: snakemake.output[kind] for kind in KINDS},
    )
