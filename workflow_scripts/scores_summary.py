"""Writes results/scores/summary.csv: one row a system, variable, lead and metric."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.summary import summarise, write_summary
from stormdraw.settings import load_settings

with job("scores_summary", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    paths: dict[str, list[Path]] = {}
    for path in map(Path, snakemake.input.statistics):
        paths.setdefault(path.parent.name, []).append(path)
    summary = summarise(
        paths,
        settings.scores.reference,
        settings.scores.bootstrap_samples,
        settings.scores.confidence,
        settings.seed,
    )
    write_summary(summary, Path(snakemake.output.summary))
