"""Writes results/archive/{source}/{date}/manifest.csv and, beside it, the messages it lists."""

from pathlib import Path

from stormdraw.archive.fetch import fetch_day
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("archive_fetch", snakemake.log[0]) as logger:
    fetch_day(
        load_settings(snakemake.config),
        snakemake.wildcards.source,
        snakemake.wildcards.date,
        Path(snakemake.output.manifest),
        mirror=snakemake.input.get("mirror") or None,
        progress=logger.info,
    )
