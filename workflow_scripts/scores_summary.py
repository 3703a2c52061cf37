"""Writes results/scores/summary.csv, one row per system, variable, lead and metric, and beside it:

by_hour.csv, the scores by initial hour and by valid hour of the day; scores.parquet, all of these
and the scores of each region; verdicts.csv, better or worse than the reference and the baselines;
overall.csv, each pair of systems over all leads; missing.csv, what was left out.
"""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.comparison import load_systems
from stormdraw.scores.missing import missing_data
from stormdraw.scores.overall import overall
from stormdraw.scores.summary import (
    by_hour,
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
    hours = by_hour(paths, scores, settings.baselines())
    write_summary(hours, Path(snakemake.output.by_hour))
    write_tidy(tidy_scores(*how, summary, hours), Path(snakemake.output.tidy))
    missing = missing_data(paths)
    write_summary(missing, Path(snakemake.output.missing))
    if len(missing):
        log.warning(
            "%d forecasts lack members or points; see %s", len(missing), snakemake.output.missing
        )
    systems = load_systems(paths)
    write_summary(overall(systems, scores, settings.seed), Path(snakemake.output.overall))
    compared = verdicts(systems, scores, settings.seed, settings.baselines())
    write_summary(compared, Path(snakemake.output.verdicts))
    for line in caveats(compared, scores.confidence):
        log.info("%s", line)
