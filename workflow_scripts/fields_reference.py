"""Writes forecasts on the grid of the analyses: results/fields/{href,refs}/{init}.nc and
results/fields/hrrr_lagged/{init}.nc, (member, lead, y, x);
results/fields/{href,refs}_products/{init}.nc, mean and spread (lead, y, x); or
results/fields/hrrr_forecast/{init}.nc, (lead, y, x). Also writes their suspicious values,
results/fields/quality/{reference}/{init}.csv."""

from pathlib import Path

from stormdraw.fields.forecasts import Cycle, regrid_forecast, regrid_members, regrid_products
from stormdraw.fields.target import Target
from stormdraw.fields.writing import Destination
from stormdraw.job import job
from stormdraw.membership import lagged_runs, members_at, product_variables
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("fields_reference", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    reference = snakemake.wildcards.reference
    ensemble = reference.removesuffix("_products")
    init = parse_init(snakemake.wildcards.init)
    manifest = Path(snakemake.input.manifest)
    cycle = Cycle(init, settings.leads, settings.variables)
    target = Target.of_file(snakemake.input.grid, settings.fields)
    destination = Destination(
        Path(snakemake.output.fields),
        Path(snakemake.output.quality),
        settings.fields,
        snakemake.params.settings,
        snakemake.threads,
    )
    if reference == "hrrr_forecast":
        regrid_forecast(manifest, cycle, settings.archive.analysis_lead, target, destination)
    elif reference == "hrrr_lagged":
        runs = lagged_runs(init, settings.ages(reference))
        regrid_members(manifest, cycle, runs, "the lagged HRRR", target, destination)
    elif reference != ensemble:
        cycle = Cycle(init, settings.leads, product_variables(settings.variables))
        regrid_products(manifest, cycle, ensemble, target, destination)
    else:
        members = members_at(ensemble, init)
        regrid_members(manifest, cycle, members, ensemble.upper(), target, destination)
