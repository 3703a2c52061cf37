"""Writes results/scores/summary.csv, one row per system, variable, lead and metric, and beside it:

scores.parquet, the same for each region; verdicts.csv, better or worse than the reference and the
baselines; overall.csv, each pair of systems over all leads; missing.csv, what was left out;
by_initial_hour.csv, the scores of each initial hour.
"""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.missing import missing_data
from stormdraw.scores.overall import overall
from stormdraw.scores.summary import (
    by_initial_hour,
    summarise,
    tidy_scores,
    write_summary,
    write_tidy,
)
from stormdraw.scores.verdicts import caveats, verdicts
from stormdraw.settings import load_settings

with job("scores_summary", snakemake.log[0]) as log:
    settings = load_settings(snakemake.config)
    scores = settings.scores
    paths: dict[str, list[Path]] = {}
    for path in map(Path, snakemake.input.statistics):
        paths.setdefault(path.parent.name, []).append(path)
    how = (paths, scores, settings.seed, settings.baselines())
    summary = summarise(*how)
    write_summary(summary, Path(snakemake.output.summary))
    write_tidy(tidy_scores(*how, summary), Path(snakemake.output.tidy))
    write_summary(
        by_initial_hour(paths, scores, settings.baselines()),
        Path(snakemake.output.by_initial_hour),
    )
    missing = missing_data(paths)
    write_summary(missing, Path(snakemake.output.missing))
    if len(missing):
        log.warning(
            "%d forecasts lack members or points; see %s", len(missing), snakemake.output.missing
        )
    write_summary(overall(paths, scores, settings.seed), Path(snakemake.output.overall))
    compared = verdicts(*how)
    write_summary(compared, Path(snakemake.output.verdicts))
    for line in caveats(compared, scores.confidence):
        log.info("%s", line)
