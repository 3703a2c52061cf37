"""Writes results/ensembles/{system}/{init}.nc of a system without a network: its members, (member,
lead, y, x), or its mean and spread, (lead, y, x)."""

from pathlib import Path

from stormdraw.ensembles.files import Case
from stormdraw.ensembles.system import CaseToMake
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_take", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    given, params = snakemake.input, snakemake.params.settings
    init = parse_init(snakemake.wildcards.init)
    made = CaseToMake(
        settings,
        Case(system.name, system.method, init, settings.leads, params["variables"]),
        Path(snakemake.output.ensemble),
        params,
        [Path(path) for path in given.analyses],
        Path(given.get("forecasts", "")),
        Path(given.get("world", "")),
        [Path(path) for path in given.get("ensembles", [])],
        Path(given.get("coefficients", "")),
    )
    system.write(made)
