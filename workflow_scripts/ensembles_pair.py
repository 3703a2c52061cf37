"""Writes results/ensembles/{system}/pairs/{init}.nc: what a validation case says of the ensemble
that the system is calibrated from, (quantity, variable, lead, point)."""

from pathlib import Path

from stormdraw.ensembles.files import Case
from stormdraw.ensembles.post_processing import write_pairs
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_pair", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init, variables = parse_init(snakemake.wildcards.init), snakemake.params.settings["variables"]
    write_pairs(
        Path(snakemake.input.ensemble),
        [Path(path) for path in snakemake.input.truth],
        Case(system.name, system.method, init, settings.leads, variables),
        Path(snakemake.output.pairs),
    )
