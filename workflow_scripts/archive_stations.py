"""Writes results/archive/stations/{date}.parquet, the reports of stations at full hours, and
quality/{date}.csv beside it, what was dropped of them."""

from pathlib import Path

from stormdraw.archive.stations.day import write_day
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.simulated.growing import grown_archive

with job("archive_stations", snakemake.log[0]):
    settings, reports = load_settings(snakemake.config), Path(snakemake.output.reports)
    mirror = snakemake.input.get("mirror")
    mirror = mirror or grown_archive(settings, reports.parents[1] / "simulated")
    write_day(
        settings,
        snakemake.wildcards.date,
        reports,
        Path(snakemake.output.quality),
        simulated=Path(str(mirror)) if mirror else None,
    )
