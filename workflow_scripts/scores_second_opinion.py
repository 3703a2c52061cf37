"""Writes results/scores/second_opinion/{system}/{init}.csv: a case's scores by other libraries."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.check.opinion import CaseFiles, Run, write_opinion
from stormdraw.scores.check.truth import Origin
from stormdraw.settings import load_settings

with job("scores_second_opinion", snakemake.log[0]) as log:
    settings = load_settings(snakemake.config)
    scores, base = settings.scores, settings.archive.base_model
    origins = {}
    for name in settings.variables:
        truth = settings.archive.truth_of(name)
        own = snakemake.input.analyses if truth.is_analysis else snakemake.input.others
        no_echo = base.reflectivity_floor if truth.is_analysis else truth.no_echo(base)
        origins[name] = Origin([Path(path) for path in own], truth.on_model_grid, no_echo)
    table = write_opinion(
        CaseFiles(
            Path(snakemake.input.ensemble),
            Path(snakemake.input.points),
            [Path(path) for path in snakemake.input.truth],
        ),
        Run(
            settings.seed,
            settings.leads,
            origins,
            settings.fields,
            scores.thresholds,
            scores.area_weights,
            Path(snakemake.input.percentiles) if scores.percentiles else None,
        ),
        Path(snakemake.output.opinion),
    )
    log.info("%d scores by other libraries", len(table))
