"""Writes results/scores/check.csv: our scores beside those that other libraries make of the files.

Fails if two differ by more than 1e-5.
"""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.check.agreement import write_check
from stormdraw.settings import load_settings


def by_system(paths: list[str]) -> dict[str, Path]:
    """results/scores/.../{system}/{init} by system."""
    return {Path(path).parent.name: Path(path) for path in paths}


with job("scores_check", snakemake.log[0]) as log:
    settings = load_settings(snakemake.config)
    table = write_check(
        by_system(snakemake.input.opinions),
        by_system(snakemake.input.statistics),
        settings.scores,
        settings.seed,
        Path(snakemake.output.check),
    )
    log.info("%d scores agree to %.1g", len(table), table["relative_difference"].max())
