"""Writes results/archive/stations/{date}.parquet, the reports of stations at full hours, and
quality/{date}.csv beside it, what was dropped of them."""

from pathlib import Path

from stormdraw.archive.stations.day import write_day
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("archive_stations", snakemake.log[0]):
    mirror = snakemake.input.get("mirror")
    write_day(
        load_settings(snakemake.config),
        snakemake.wildcards.date,
        Path(snakemake.output.reports),
        Path(snakemake.output.quality),
        simulated=Path(str(mirror)) if mirror else None,
    )
