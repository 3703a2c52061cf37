"""Writes results/ensembles/{system}/{init}.nc: members drawn from a trained model, float32
(member, lead, y, x)."""

from pathlib import Path

from stormdraw.ensembles.diffusion import Sampling, write_diffusion
from stormdraw.ensembles.files import Case
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_sample", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init = parse_init(snakemake.wildcards.init)
    static = snakemake.input.get("static")
    write_diffusion(
        Path(snakemake.input.checkpoint),
        [Path(snakemake.input.state)],
        Path(static[0]) if static else None,
        Case(system.name, system.method, init, settings.leads, settings.variables),
        Sampling(
            members=settings.members(system),
            run_seed=settings.seed,
            sampler=system.sampler,
            steps=system.steps,
            batch_gigabytes=settings.ensembles.batch_gigabytes,
        ),
        Path(snakemake.output.ensemble),
        snakemake.params.settings,
        threads=snakemake.threads,
    )
