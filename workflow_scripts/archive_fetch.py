"""Writes results/archive/{source}/{date}/manifest.csv and, beside it, the messages it lists."""

from pathlib import Path

from stormdraw.archive.fetch import fetch_day
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.simulated.growing import grown_archive

with job("archive_fetch", snakemake.log[0]) as logger:
    settings, manifest = load_settings(snakemake.config), Path(snakemake.output.manifest)
    grown = grown_archive(settings, manifest.parents[2] / "simulated")
    fetch_day(
        settings,
        snakemake.wildcards.source,
        snakemake.wildcards.date,
        manifest,
        mirror=snakemake.input.get("mirror") or grown,
        progress=logger.info,
    )
