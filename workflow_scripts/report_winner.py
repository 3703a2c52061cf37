"""Writes results/report/products/: the products of the best system, or of the configured one."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.report.chosen_products import choose_products
from stormdraw.settings import load_settings

with job("report_winner", snakemake.log[0]):
    summary = snakemake.input.summary
    choose_products(
        load_settings(snakemake.config),
        Path(summary) if summary else None,
        Path("results/report/products_of"),
        [Path(path) for path in snakemake.output],
    )
