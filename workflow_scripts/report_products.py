"""Writes results/report/products_of/{system}/{init}.nc and a GRIB2 file of each product."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.report.product import kinds
from stormdraw.report.product_files import write_products
from stormdraw.scores.threshold import Threshold

with job("report_products", snakemake.log[0]):
    write_products(
        Path(snakemake.input.ensemble),
        {
            name: [Threshold.parse(given) for given in own]
            for name, own in snakemake.params.settings["thresholds"].items()
        },
        snakemake.params.settings["local_patch"],
        snakemake.output.netcdf,
        {kind: snakemake.output[kind] for kind in kinds()},
    )
