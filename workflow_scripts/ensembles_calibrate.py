"""Writes results/models/{model}/calibration_{system}.json: the amplitude of the noise that members
are drawn with, chosen on cases of the validation period, and the scores of all that were tried."""

from functools import partial
from pathlib import Path

from stormdraw.ensembles.calibration import try_amplitudes, write_calibration
from stormdraw.ensembles.drawing import DrawingFiles
from stormdraw.ensembles.validation import score_on_validation
from stormdraw.files import scratch
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("ensembles_calibrate", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    output = Path(snakemake.output.calibration)
    groups, drawn = system.groups(settings), DrawingFiles.named(snakemake.input)
    with scratch(output) as folder:
        score = partial(score_on_validation, settings, system, drawn, folder, snakemake.threads)
        tries = try_amplitudes(settings.ensembles.calibration_amplitudes, groups, score)
    members, inits = settings.calibration_members(system), settings.calibration_times()
    write_calibration(output, system.name, members, inits, groups, tries)
