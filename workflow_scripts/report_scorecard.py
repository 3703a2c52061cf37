"""Writes results/report/scorecard.html, one page that needs no network, and headline.json."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.report.headline_numbers import write_headline
from stormdraw.report.scorecard import Inputs, write_scorecard
from stormdraw.settings import load_settings


def by_model(paths: list[str]) -> dict[str, Path]:
    """results/models/{model}/... by model."""
    return {Path(path).parent.name: Path(path) for path in paths}


def by_figure(paths: list[str], folder: Path) -> dict[str, Path]:
    """{folder}/{figure}.svg by figure, which may be in folders."""
    return {str(Path(path).relative_to(folder).with_suffix("")): Path(path) for path in paths}


def by_table(paths: list[str]) -> dict[str, Path]:
    """The tables of scores at stations: results/scores/stations_{table}.csv, and the summary."""
    return {
        Path(path).stem.removeprefix("stations").lstrip("_") or "summary": Path(path)
        for path in paths
    }


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
        figures=by_figure(files.figures, Path(snakemake.output.scorecard).parent / "figures"),
        verdicts=Path(files.verdicts),
        overall=Path(files.overall),
        missing=Path(files.missing),
        by_hour=Path(files.by_hour),
        check=Path(files.check),
        analysis=Path(files.analysis) if files.analysis else None,
        maps={Path(path).stem: Path(path) for path in files.maps},
        diagnoses=by_model(files.diagnoses),
        stations=by_table(files.stations),
        station_quality=[Path(path) for path in files.station_quality],
    )
    settings = load_settings(snakemake.config)
    write_scorecard(settings, inputs, snakemake.output.scorecard)
    at_stations = (
        (inputs.stations["summary"], inputs.stations["overall"]) if inputs.stations else None
    )
    write_headline(
        settings, (inputs.summary, inputs.overall), at_stations, snakemake.output.headline
    )
