"""Writes results/models/{model}/calibration_{system}.json: the factor for the spread of each
variable at each lead, chosen on cases of the validation period."""

from pathlib import Path

from stormdraw.ensembles.calibration import SpreadTally, choose, tally_case, write_choice
from stormdraw.ensembles.drawing import DrawingFiles, draw_case
from stormdraw.fields.states import StateReader, absent_times
from stormdraw.files import scratch
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("ensembles_calibrate", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    drawn = DrawingFiles.named(snakemake.input)
    members = settings.calibration_members(system)
    inits = settings.calibration_times()
    tally = SpreadTally(settings.variables, settings.leads, members)
    truth = StateReader(drawn.states, settings.variables)
    absent = absent_times(drawn.states)
    output = Path(snakemake.output.calibration)
    with scratch(output) as folder:
        ensemble = folder / "ensemble.nc"
        for init in inits:
            draw_case(settings, system, drawn, init, members, ensemble, {}, snakemake.threads)
            tally_case(tally, ensemble, truth, init, absent)
    write_choice(output, system.name, members, inits, choose(tally))
