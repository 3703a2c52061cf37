"""Writes results/ensembles/{system}/{init}.nc: the reference's members (member, lead, y, x), or its
mean and spread (lead, y, x)."""

from pathlib import Path

from stormdraw.archive.wanted import product_variables
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.reference import write_reference_members, write_reference_products
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_reference", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    products = system.kind == "products"
    case = Case(
        system.name,
        system.method,
        parse_init(snakemake.wildcards.init),
        settings.leads,
        product_variables(settings) if products else settings.variables,
    )
    fields, output = Path(snakemake.input.fields), Path(snakemake.output.ensemble)
    if products:
        write_reference_products(fields, case, output, snakemake.params.settings)
    else:
        write_reference_members(
            fields,
            system.minimum_members,
            case,
            output,
            snakemake.params.settings,
            may_be_missing=settings.archive.missing != "fail",
        )
