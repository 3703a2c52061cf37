"""Writes results/ensembles/{system}/{init}.nc of a system in files of others: its members, (member,
lead, y, x); and results/fields/quality/{system}/{init}.csv, their suspicious values."""

from pathlib import Path

from stormdraw.ensembles.files import Case
from stormdraw.ensembles.system import CaseToMake
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_read", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    params, init = snakemake.params.settings, parse_init(snakemake.wildcards.init)
    system.write(
        CaseToMake(
            settings,
            Case(system.name, system.method, init, settings.leads, params["variables"]),
            Path(snakemake.output.ensemble),
            params,
            grid=Path(snakemake.input.grid),
            quality=Path(snakemake.output.quality),
        )
    )
