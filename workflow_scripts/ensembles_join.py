"""Writes results/ensembles/{system}/{init}.nc: the members that several jobs have drawn, (member,
lead, y, x) in 16 bits."""

from pathlib import Path

from stormdraw.ensembles.calibration import read_calibration
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.joining import join_parts
from stormdraw.ensembles.spread import then_scaled
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
    calibration = read_calibration(next(map(Path, snakemake.input.calibration), None))
    with then_scaled(output, calibration.factors, case, params) as unscaled:
        join_parts(parts, case, unscaled, params)
