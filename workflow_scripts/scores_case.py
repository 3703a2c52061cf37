"""Writes results/scores/{system}/{init}.nc: sums and counts over points, (variable, lead)."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.case import score_case
from stormdraw.settings import load_settings

with job("scores_case", snakemake.log[0]):
    score_case(
        Path(snakemake.input.ensemble),
        [Path(path) for path in snakemake.input.truth],
        Path(snakemake.output.statistics),
        load_settings(snakemake.config).seed,
    )
