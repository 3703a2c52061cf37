"""Writes results/ensembles/{system}/{init}.nc: draws from the simulated world's true forecast
distribution, (member, lead, y, x)."""

from pathlib import Path

from stormdraw.ensembles.files import Case
from stormdraw.ensembles.perfect import write_perfect
from stormdraw.fields.target import Target
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_perfect", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init = parse_init(snakemake.wildcards.init)
    write_perfect(
        Path(snakemake.input.world),
        Target.of_file(snakemake.input.grid, settings.fields),
        settings.members(system),
        settings.seed,
        Case(system.name, system.method, init, settings.leads, settings.variables),
        Path(snakemake.output.ensemble),
        snakemake.params.settings,
    )
