"""Writes forecasts on the grid of the analyses: results/fields/{href,refs}/{init}.nc and
results/fields/{base model}_lagged/{init}.nc, (member, lead, y, x);
results/fields/{href,refs}_products/{init}.nc, mean and spread (lead, y, x); or
results/fields/{base model}_forecast/{init}.nc, (lead, y, x). Also writes their suspicious values,
results/fields/quality/{reference}/{init}.csv."""

from pathlib import Path

from stormdraw.fields.forecasts import Cycle, regrid_forecast, regrid_members, regrid_products
from stormdraw.fields.target import Target
from stormdraw.fields.writing import Destination
from stormdraw.job import job
from stormdraw.membership import members_at, product_variables
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
    base = settings.archive.base_model
    if reference == base.forecast_source:
        run = base.run(init, settings.archive.analysis_lead)
        regrid_forecast(manifest, cycle, run, base.title, target, destination)
    elif reference == base.lagged_source:
        runs = base.runs(init, settings.ages(reference))
        regrid_members(manifest, cycle, runs, f"the lagged {base.title}", target, destination)
    elif reference != ensemble:
        cycle = Cycle(init, settings.leads, product_variables(settings.variables))
        regrid_products(manifest, cycle, ensemble, target, destination)
    else:
        members = members_at(ensemble, init)
        regrid_members(manifest, cycle, members, ensemble.upper(), target, destination)
