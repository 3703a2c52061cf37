"""Writes results/fields/{href,refs}/{init}.nc, (member, lead, y, x),
results/fields/hrrr_lagged/{init}.nc, likewise, results/fields/{href,refs}_products/{init}.nc, mean
and spread (lead, y, x), or results/fields/hrrr_forecast/{init}.nc, (lead, y, x), on the grid of the
analyses; and what of it is suspicious, results/fields/quality/{reference}/{init}.csv."""

from functools import partial
from pathlib import Path

from stormdraw.archive.membership import lagged_runs
from stormdraw.archive.wanted import product_variables
from stormdraw.fields.forecast import regrid_forecast
from stormdraw.fields.reference import regrid_members, regrid_products, regrid_runs
from stormdraw.fields.states import read_grid_of
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("fields_reference", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    reference = snakemake.wildcards.reference
    products = reference.endswith("_products")
    init = parse_init(snakemake.wildcards.init)
    if reference == "hrrr_forecast":
        regrid = partial(regrid_forecast, age=settings.archive.analysis_lead)
    elif reference == "hrrr_lagged":
        runs = lagged_runs(init, settings.lagged_ages())
        regrid = partial(regrid_runs, members=runs, ensemble="the lagged HRRR")
    else:
        regrid = partial(
            regrid_products if products else regrid_members,
            reference=reference.removesuffix("_products"),
        )
    regrid(
        Path(snakemake.input.manifest),
        init,
        settings.leads,
        product_variables(settings) if products else settings.variables,
        read_grid_of(snakemake.input.grid),
        settings.fields,
        Path(snakemake.output.fields),
        Path(snakemake.output.quality),
        snakemake.params.settings,
        snakemake.threads,
    )
