"""Writes results/ensembles/{system}/{init}.nc: members drawn from a trained model, float32
(member, lead, y, x)."""

from pathlib import Path

from stormdraw.ensembles.diffusion import Sampling, write_diffusion
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.one_step import write_one_step
from stormdraw.ensembles.rollout import Rollout
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_sample", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init = parse_init(snakemake.wildcards.init)
    static = snakemake.input.get("static")
    files = (
        Path(snakemake.input.checkpoint),
        [Path(path) for path in snakemake.input.states],
        Path(static[0]) if static else None,
    )
    case = Case(system.name, system.method, init, settings.leads, settings.variables)
    rollout = Rollout(
        settings.members(system), settings.seed, settings.ensembles.batch_gigabytes, system.rho
    )
    common = (Path(snakemake.output.ensemble), snakemake.params.settings)
    if system.method == "one_step":
        write_one_step(*files, case, rollout, *common, threads=snakemake.threads)
    else:
        sampling = Sampling(
            **vars(rollout), sampler=system.sampler, steps=system.steps, eta=system.eta
        )
        write_diffusion(*files, case, sampling, *common, threads=snakemake.threads)
