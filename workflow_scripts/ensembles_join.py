"""Writes results/ensembles/{system}/{init}.nc: the members that several jobs have drawn, (member,
lead, y, x) in 16 bits."""

from pathlib import Path

from stormdraw.ensembles.calibration import read_factors
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.joining import join_members
from stormdraw.ensembles.spread import scale_spread
from stormdraw.files import scratch
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_join", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init = parse_init(snakemake.wildcards.init)
    case = Case(system.name, system.method, init, settings.leads, settings.variables)
    parts = [Path(path) for path in snakemake.input.parts]
    output, params = Path(snakemake.output.ensemble), snakemake.params.settings
    if system.calibrate:
        factors = read_factors(Path(snakemake.input.calibration[0]))
        with scratch(output) as folder:
            join_members(parts, case, folder / "drawn.nc", params)
            scale_spread(folder / "drawn.nc", factors, case, output, params)
    else:
        join_members(parts, case, output, params)
