"""Writes results/report/scorecard.html, one page that needs no network, and headline.json."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.report.headline_numbers import write_headline
from stormdraw.report.scorecard import Inputs, write_scorecard
from stormdraw.settings import load_settings


def by_model(paths: list[str]) -> dict[str, Path]:
    """results/models/{model}/... by model."""
    return {Path(path).parent.name: Path(path) for path in paths}


def by_system(paths: list[str]) -> dict[str, list[Path]]:
    """results/ensembles/{system}/... by system."""
    systems: dict[str, list[Path]] = {}
    for path in map(Path, paths):
        systems.setdefault(path.parent.name, []).append(path)
    return systems


def figures_by_model(paths: list[str]) -> dict[str, dict[str, Path]]:
    """results/report/figures/models/{model}/{figure}.svg by model and figure."""
    models: dict[str, dict[str, Path]] = {}
    for path in map(Path, paths):
        models.setdefault(path.parent.name, {})[path.stem] = path
    return models


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
        sheets={Path(path).stem: Path(path) for path in files.sheets},
        ensembles=by_system(files.ensembles),
        truth=[Path(path) for path in files.truth],
        diagnoses=by_model(files.diagnoses),
        diagnosis_figures=figures_by_model(files.diagnosis_figures),
    )
    settings = load_settings(snakemake.config)
    write_scorecard(settings, inputs, snakemake.output.scorecard)
    write_headline(settings, files.summary, snakemake.output.headline)
