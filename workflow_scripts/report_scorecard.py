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


def by_figure(paths: list[str]) -> dict[str, Path]:
    """results/report/figures/{figure}.svg by figure, which may be in folders."""
    folder = Path("results/report/figures")
    return {str(Path(path).relative_to(folder).with_suffix("")): Path(path) for path in paths}


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
        figures=by_figure(files.figures),
        verdicts=Path(files.verdicts),
        missing=Path(files.missing),
        by_initial_hour=Path(files.by_initial_hour),
        ensembles=by_system(files.ensembles),
        truth=[Path(path) for path in files.truth],
        diagnoses=by_model(files.diagnoses),
    )
    settings = load_settings(snakemake.config)
    write_scorecard(settings, inputs, snakemake.output.scorecard)
    write_headline(settings, files.summary, snakemake.output.headline)
