"""Writes results/report/scorecard.html: one page that needs no network."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.report.scorecard import Inputs, write_scorecard
from stormdraw.settings import load_settings


def by_model(paths: list[str]) -> dict[str, Path]:
    """results/models/{model}/... by model."""
    return {Path(path).parent.name: Path(path) for path in paths}


with job("report_scorecard", snakemake.log[0]):
    files = snakemake.input
    inputs = Inputs(
        config=snakemake.config,
        models=snakemake.params.models,
        summary=Path(files.summary),
        plans=by_model(files.plans),
        metrics=by_model(files.metrics),
        manifests=[Path(path) for path in files.manifests],
        quality=[Path(path) for path in files.quality],
        figures={Path(path).stem: Path(path) for path in files.figures},
        verdicts=Path(files.verdicts),
        missing=Path(files.missing),
    )
    write_scorecard(load_settings(snakemake.config), inputs, snakemake.output.scorecard)
