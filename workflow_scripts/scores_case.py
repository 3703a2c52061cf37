"""Writes results/scores/{system}/{init}.nc: sums and counts, (variable, lead, region, ...).

Also results/scores/analysis/{system}/{init}.nc: the same against the analysis, of the variables
that have another truth.
"""

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
    score_case(
        Path(snakemake.input.ensemble),
        [Path(path) for path in snakemake.input.truth],
        Path(snakemake.output.statistics),
        settings.seed,
        settings.scores,
        CommonPoints(Path(snakemake.input.points)),
        Percentiles(Path(snakemake.input.percentiles)) if settings.scores.percentiles else None,
        threads=snakemake.threads,
        may_be_missing=settings.archive.hours_may_be_absent(),
        only=snakemake.params.get("only"),
    )
