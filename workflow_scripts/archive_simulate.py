"""Writes results/archive/simulated/ (GRIB2 with the layout of the real archives) and
results/archive/simulated_world.nc (the hidden state of the world at each case)."""

from pathlib import Path

from stormdraw.files import replacing_folder
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.simulated.mirror import write_archive

with (
    job("archive_simulate", snakemake.log[0]) as logger,
    replacing_folder(snakemake.output.archive) as folder,
):
    settings = load_settings(snakemake.config)
    write_archive(settings, folder, Path(snakemake.output.world), logger.info)
