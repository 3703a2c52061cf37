"""Writes results/scores/analysis.csv: as summary.csv, but against the analysis.

It has the variables whose truth is another.
"""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.analysis import against_analysis
from stormdraw.scores.summary import write_summary
from stormdraw.settings import load_settings

with job("scores_analysis", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    paths: dict[str, list[Path]] = {}
    for path in map(Path, snakemake.input.statistics):
        paths.setdefault(path.parent.name, []).append(path)
    summary = against_analysis(paths, settings.scores, settings.seed, settings.baselines())
    write_summary(summary, Path(snakemake.output.summary))
