"""Writes results/fields/driving/{date}.nc, each driving variable float32 (forecast, y, x) on the
driving model's grid or the target's, whichever has fewer points, with the coordinates cycle, lead
and member (forecast,), and results/fields/quality/driving/{date}.csv, its
suspicious values."""

from pathlib import Path

from stormdraw.archive.driving_needs import driving_variables, schedule_of
from stormdraw.fields.driving import write_driving
from stormdraw.fields.target import Target
from stormdraw.fields.writing import Destination
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("fields_driving", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    write_driving(
        Path(snakemake.input.manifest),
        schedule_of(settings).model,
        [
            one
            for one in settings.driving_forecasts()
            if settings.folder_of(one.cycle) == snakemake.wildcards.date
        ],
        driving_variables(settings),
        Target.of_file(snakemake.input.grid, settings.fields),
        Destination(
            Path(snakemake.output.fields),
            Path(snakemake.output.quality),
            settings.fields,
            snakemake.params.settings,
            snakemake.threads,
        ),
    )
