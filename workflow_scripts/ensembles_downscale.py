"""Writes results/ensembles/{system}/{init}.nc: members downscaled from forecasts, float32
(member, lead, y, x), of the variables that have a downscaler."""

from pathlib import Path

from stormdraw.ensembles.downscale import Downscaling, write_downscaled
from stormdraw.ensembles.files import Case
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.membership import lagged_runs
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_downscale", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init = parse_init(snakemake.wildcards.init)
    params = snakemake.params.settings
    runs = lagged_runs(init, settings.ages_of(system)) if system.source == "lagged" else []
    write_downscaled(
        [Path(path) for path in snakemake.input.checkpoints],
        Path(snakemake.input.forecasts),
        [run.name for run in runs] or None,
        settings.variables,
        Case(system.name, system.method, init, settings.leads, params["downscaled"]),
        Downscaling(
            settings.members(system),
            settings.seed,
            settings.ensembles.batch_gigabytes,
            system.sampler,
            system.steps,
            system.eta,
        ),
        Path(snakemake.output.ensemble),
        params,
        snakemake.threads,
    )
