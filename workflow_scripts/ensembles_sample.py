"""Writes results/ensembles/{system}/{init}.nc: members drawn from a trained model, (member, lead,
y, x) in 16 bits.

Finished members are kept in results/ensembles/{system}/{init}.resume/, which is not declared to
Snakemake: it would delete it before a rerun.
"""

from pathlib import Path

from stormdraw.ensembles.calibration import read_calibration
from stormdraw.ensembles.drawing import DrawingFiles, draw_case
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.resuming import resuming
from stormdraw.ensembles.spread import then_scaled
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_sample", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init = parse_init(snakemake.wildcards.init)
    drawn = DrawingFiles.named(snakemake.input)
    output, params = Path(snakemake.output.ensemble), snakemake.params.settings
    calibration = read_calibration(drawn.calibration)
    case = Case(system.name, system.method, init, settings.leads, settings.variables)
    with (
        resuming(output, [params, snakemake.params.code], drawn.files()) as kept,
        then_scaled(output, calibration.factors, case, params) as unscaled,
    ):
        draw_case(
            settings,
            system,
            drawn,
            init,
            settings.members(system),
            unscaled,
            params,
            snakemake.threads,
            kept=kept,
            amplitudes=calibration.amplitudes,
        )
