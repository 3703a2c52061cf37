"""Writes results/ensembles/{system}/{init}.nc: persistence, climatology, HRRR's own
forecast or its lagged runs, (member, lead, y, x)."""

from pathlib import Path

from stormdraw.ensembles.baseline import (
    write_climatology,
    write_forecast,
    write_lagged,
    write_persistence,
)
from stormdraw.ensembles.files import Case
from stormdraw.job import job
from stormdraw.membership import lagged_runs
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("ensembles_baseline", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init = parse_init(snakemake.wildcards.init)
    case = Case(system.name, system.method, init, settings.leads, settings.variables)
    fields = [Path(path) for path in snakemake.input.fields]
    output = Path(snakemake.output.ensemble)
    if system.kind == "persistence":
        write_persistence(fields, case, output, snakemake.params.settings)
    elif system.kind == "hrrr":
        write_forecast(fields[0], case, output, snakemake.params.settings)
    elif system.kind == "lagged":
        names = [run.name for run in lagged_runs(init, settings.ages_of(system))]
        write_lagged(fields[0], names, case, output, snakemake.params.settings)
    else:
        write_climatology(
            fields,
            settings.periods.training.times(),
            system.climatology,
            case,
            output,
            snakemake.params.settings,
        )
