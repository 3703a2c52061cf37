"""Writes results/ensembles/{system}/{init}.part{part}.nc: some of the members of a case, drawn by
one of several parallel jobs, (member, lead, y, x) in 16 bits.

Finished members are kept in results/ensembles/{system}/{init}.part{part}.resume/, as in
ensembles_sample.
"""

from pathlib import Path

from stormdraw.ensembles.calibration import read_calibration
from stormdraw.ensembles.drawing import DrawingFiles, draw_case
from stormdraw.ensembles.resuming import resuming
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_part", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    drawn = DrawingFiles.named(snakemake.input)
    output, params = Path(snakemake.output.part), snakemake.params.settings
    made_with = [params, snakemake.params.members, snakemake.params.code]
    with resuming(output, made_with, drawn.files()) as kept:
        draw_case(
            settings,
            system,
            drawn,
            parse_init(snakemake.wildcards.init),
            settings.members(system),
            output,
            params,
            snakemake.threads,
            chosen=range(*snakemake.params.members),
            kept=kept,
            amplitudes=read_calibration(drawn.calibration).amplitudes,
        )
