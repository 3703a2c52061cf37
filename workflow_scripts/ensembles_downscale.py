"""Writes results/ensembles/{system}/{init}.nc: members downscaled from forecasts, float32 (member,
lead, y, x), of the variables that have a downscaler."""

from pathlib import Path

from stormdraw.ensembles.files import Case
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_downscale", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init, params = parse_init(snakemake.wildcards.init), snakemake.params.settings
    system.draw(
        settings,
        [Path(path) for path in snakemake.input.checkpoints],
        Path(snakemake.input.forecasts),
        Case(system.name, system.method, init, settings.leads, params["variables"]),
        Path(snakemake.output.ensemble),
        params,
        snakemake.threads,
    )
