"""Writes results/fields/truth/{date}.nc: each variable float32 (time, y, x)."""

from pathlib import Path

from stormdraw.archive.wanted import TRUTH_NAMES
from stormdraw.fields.truth import write_truth
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("fields_truth", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    write_truth(
        Path(snakemake.input.manifest),
        [Path(path) for path in snakemake.input.analyses],
        settings.variables,
        TRUTH_NAMES[settings.archive.truth],
        Path(snakemake.output.fields),
        snakemake.params.settings,
    )
