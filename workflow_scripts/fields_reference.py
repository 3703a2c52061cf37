"""Writes results/fields/{href,refs}/{init}.nc, (member, lead, y, x), or
results/fields/{href,refs}_products/{init}.nc, mean and spread (lead, y, x), on the grid of the
analyses."""

from pathlib import Path

from stormdraw.archive.wanted import product_variables
from stormdraw.fields.reference import regrid_members, regrid_products
from stormdraw.fields.states import read_grid_of
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("fields_reference", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    products = snakemake.wildcards.reference.endswith("_products")
    regrid = regrid_products if products else regrid_members
    regrid(
        Path(snakemake.input.manifest),
        snakemake.wildcards.reference.removesuffix("_products"),
        parse_init(snakemake.wildcards.init),
        settings.leads,
        product_variables(settings) if products else settings.variables,
        read_grid_of(snakemake.input.grid),
        Path(snakemake.output.fields),
        snakemake.params.settings,
    )
