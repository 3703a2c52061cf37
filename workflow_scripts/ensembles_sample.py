"""Writes results/ensembles/{system}/{init}.nc: members drawn from a trained model, float32
(member, lead, y, x)."""

import tempfile
from pathlib import Path

from stormdraw.ensembles.calibration import read_factors
from stormdraw.ensembles.drawing import Drawn, draw_case
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.spread import scale_spread
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_sample", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init = parse_init(snakemake.wildcards.init)
    static = snakemake.input.get("static")
    states = [Path(path) for path in snakemake.input.states]
    forecaster = snakemake.input.get("forecaster")
    drawn = Drawn(
        Path(snakemake.input.checkpoint),
        states,
        Path(static[0]) if static else None,
        Path(forecaster) if forecaster else None,
    )
    output, params = Path(snakemake.output.ensemble), snakemake.params.settings
    how = (settings, system, drawn, init, settings.members(system))
    if system.calibrate:
        case = Case(system.name, system.method, init, settings.leads, settings.variables)
        factors = read_factors(Path(snakemake.input.calibration[0]))
        with tempfile.TemporaryDirectory(dir=output.parent) as folder:
            draw_case(*how, Path(folder) / "drawn.nc", params, snakemake.threads)
            scale_spread(Path(folder) / "drawn.nc", factors, case, output, params)
    else:
        draw_case(*how, output, params, snakemake.threads)
