"""Writes results/scores/{system}/{init}.nc: sums and counts, (variable, lead, region, ...).

If some variables have a truth that is not the analysis, also results/scores/analysis/{system}/
{init}.nc: the same of these variables against the analysis.
"""

from functools import partial
from pathlib import Path

from stormdraw.fields.percentiles import Percentiles
from stormdraw.job import job
from stormdraw.scores.case import score_case
from stormdraw.scores.points import CommonPoints
from stormdraw.scores.weights import describe_weights
from stormdraw.settings import load_settings

with job("scores_case", snakemake.log[0]) as log:
    settings = load_settings(snakemake.config)
    log.info("%s", describe_weights(settings.scores.area_weights))
    score = partial(
        score_case,
        Path(snakemake.input.ensemble),
        run_seed=settings.seed,
        scores=settings.scores,
        in_common=CommonPoints(Path(snakemake.input.points)),
        percentiles=(
            Percentiles(Path(snakemake.input.percentiles)) if settings.scores.percentiles else None
        ),
        threads=snakemake.threads,
        may_be_missing=settings.archive.hours_may_be_absent(),
    )
    score([Path(path) for path in snakemake.input.truth], Path(snakemake.output.statistics))
    if snakemake.params.with_another_truth:
        score(
            [Path(path) for path in snakemake.input.analyses],
            Path(snakemake.output.of_analysis),
            only=snakemake.params.with_another_truth,
        )
