"""Write scorecard.html, a self-contained page with all results."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from stormdraw.archive.truth_names import analysis_name, truth_name, truth_sentences
from stormdraw.files import write_text
from stormdraw.models.diagnosis.hours import can_be_diagnosed
from stormdraw.provenance import commit, digest
from stormdraw.report.case_sheet import case_sheet
from stormdraw.report.completeness import completeness
from stormdraw.report.diagnoses import Table, diagnosis_tables
from stormdraw.report.embedded import Embedded, data_uri, embed
from stormdraw.report.evidence import ScoreTable, evidence
from stormdraw.report.figure import figures, figures_of
from stormdraw.report.limits import banner, limits
from stormdraw.report.machine import hardware, versions
from stormdraw.report.mapped_case import MappedCase
from stormdraw.report.matrix import Matrix, matrix
from stormdraw.report.model_cards import describe_model
from stormdraw.report.notes import comparison_notes
from stormdraw.report.second_opinion import second_opinion
from stormdraw.report.side_by_side import Judgement, orders_of_systems, side_by_side
from stormdraw.report.station_section import station_section
from stormdraw.report.summary import load_summary
from stormdraw.report.suspicious import HEADINGS, MASKED, suspicious_values
from stormdraw.report.verdict import verdict
from stormdraw.report.winner import mean_crps, winner_of
from stormdraw.report.wording import as_yaml
from stormdraw.scores.overall import read_overall
from stormdraw.scores.summary import read_summary
from stormdraw.scores.verdicts import read_verdicts
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables, variable

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Inputs:
    """The inputs of the page.

    `config` is the configuration as given. `models` (the definitions), `plans`, `metrics` and
    `diagnoses` are by model, `maps` by system, `stations` by the names of its tables, and `figures`
    by path relative to results/report/figures without suffix. The page states which of the optional
    inputs are missing.
    """

    config: Mapping[str, Any]
    models: Mapping[str, Mapping[str, Any]]
    summary: Path
    plans: Mapping[str, Path]
    metrics: Mapping[str, Path]
    manifests: Sequence[Path]
    figures: Mapping[str, Path]
    verdicts: Path | None = None
    overall: Path | None = None
    missing: Path | None = None
    by_hour: Path | None = None
    check: Path | None = None
    analysis: Path | None = None
    maps: Mapping[str, Path] = field(default_factory=dict)
    quality: Sequence[Path] = ()
    diagnoses: Mapping[str, Path] = field(default_factory=dict)
    stations: Mapping[str, Path] = field(default_factory=dict)
    station_quality: Sequence[Path] = ()


def write_scorecard(settings: Settings, inputs: Inputs, output: str | Path) -> None:
    """Write scorecard.html.

    Raises StormdrawError if an input file is malformed.
    """
    summary = load_summary(inputs.summary)
    verdicts = None if inputs.verdicts is None else read_verdicts(inputs.verdicts)
    overall = None if inputs.overall is None else read_overall(inputs.overall)
    by_hour = None if inputs.by_hour is None else read_summary(inputs.by_hour)
    shown = matrix(summary, by_hour, verdicts, settings)
    suspicious = suspicious_values(inputs.quality)
    by_truth = side_by_side(_judgements(summary, inputs, settings), settings)
    # Of forecasts that are verified only what they are is told, not how their models were trained.
    described = [name for name in settings.model_names if name in inputs.models]
    page = (
        _environment()
        .get_template("scorecard.html.jinja")
        .render(
            settings=settings,
            truth=truth_sentences(settings),
            verdict=verdict(summary, verdicts, overall, settings),
            banner=banner(settings, summary, verdicts),
            matrix=shown,
            choices=_choices(shown),
            side_by_side=by_truth,
            orders=orders_of_systems(by_truth),
            winner=winner_of(summary, settings),
            chapters=_chapters(summary, settings, inputs),
            stations=station_section(
                summary, overall, inputs.stations, settings, inputs.station_quality
            ),
            case=case_sheet(settings, inputs.maps),
            notes=comparison_notes(verdicts, inputs.missing, settings, _grid_points(inputs)),
            variable_caption=figures()["variable"].caption,
            figures=_by_category(settings, inputs),
            models=[
                describe_model(
                    name,
                    inputs.models[name],
                    inputs.plans[name],
                    inputs.metrics[name],
                    settings.report,
                )
                for name in described
            ],
            diagnoses={name: _diagnosis(name, inputs) for name in described},
            archive=completeness(inputs.manifests),
            suspicious=suspicious,
            suspicious_headings=HEADINGS,
            masked=MASKED in {row[-1] for row in suspicious or []},
            configuration=as_yaml(inputs.config),
            all_settings=as_yaml(settings.model_dump(mode="json")),
            versions=versions(),
            hardware=hardware(),
            commit=commit(),
            settings_hash=digest(settings.model_dump(mode="json")),
            limits=limits(settings, summary),
            second_opinion=second_opinion(inputs.check),
            table_of_scores=data_uri(inputs.summary.read_text("utf-8"), "text/csv;charset=utf-8"),
            files=_hashes(inputs),
            script=(_TEMPLATES / "page.js").read_text(encoding="utf-8"),
            script_hash=_script_hash(),
        )
    )
    write_text(output, page)


def _judgements(summary: pd.DataFrame, inputs: Inputs, settings: Settings) -> list[Judgement]:
    """The main scores against the analysis, where it is not the truth, and against the truth."""
    names = scored_variables(list(settings.variables))
    own = Judgement({name: truth_name(settings, name) for name in names}, mean_crps(summary))
    if inputs.analysis is None:
        return [own]
    analyses = {name: analysis_name(settings, name) for name in names}
    return [Judgement(analyses, mean_crps(load_summary(inputs.analysis))), own]


def _grid_points(inputs: Inputs) -> int | None:
    """The number of points of the grid, which maps tell."""
    for path in inputs.maps.values():
        return math.prod(MappedCase(path).grid.shape)
    return None


def _choices(shown: Matrix) -> Markup:
    """The cells of all choices as JSON, from which the page's script fills the matrix.

    A cell without a score is 0. Titles omit the system, variable, lead and name of the score, which
    the script adds.
    """
    cells = [
        [[[_without_place(cell, label) for cell in row] for row in of_hour] for of_hour in of_score]
        for label, of_score in zip(shown.labels, shown.cells, strict=True)
    ]
    content = {"labels": shown.labels, "hours": shown.hours, "cells": cells}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # Unlike autoescaping this keeps the many quotes, which are allowed inside an element.
    return Markup(text.replace("&", "&amp;").replace("<", "&lt;"))  # noqa: S704


def _without_place(cell: list[str], label: str) -> list[str] | int:
    text, kind, title = cell
    if kind == "none":
        return 0
    return [text, kind, title.partition(f": {label} ")[2]]


def _by_category(settings: Settings, inputs: Inputs) -> dict[str, list[Embedded]]:
    """The figures of the whole run, by category."""
    by_category: dict[str, list[Embedded]] = {}
    for name, figure in figures_of(settings).items():
        if figure.each == "run":
            embedded = embed(name, inputs.figures.get(name))
            by_category.setdefault(figure.category, []).append(embedded)
    return by_category


@dataclass(frozen=True)
class Chapter:
    """One variable on the page: its figure and the table of its scores."""

    name: str
    long_name: str
    figure: Embedded
    table: ScoreTable


def _chapters(summary: pd.DataFrame, settings: Settings, inputs: Inputs) -> list[Chapter]:
    return [
        Chapter(
            table.variable,
            variable(table.variable).long_name,
            embed("variable", inputs.figures.get(f"variables/{table.variable}")),
            table,
        )
        for table in evidence(summary, settings)
    ]


@dataclass(frozen=True)
class ModelDiagnosis:
    """A model's diagnosis: tables and figures, or in `gap` why there are none."""

    tables: list[Table]
    figures: list[Embedded]
    gap: str


def _diagnosis(name: str, inputs: Inputs) -> ModelDiagnosis:
    path = inputs.diagnoses.get(name)
    if path is not None:
        drawn = [
            embed(kind, inputs.figures.get(f"models/{name}/{kind}"))
            for kind, figure in figures().items()
            if figure.each == "model"
        ]
        return ModelDiagnosis(diagnosis_tables(path), drawn, "")
    definition = inputs.models[name]
    if "target" in definition and not can_be_diagnosed(definition):
        reason = f"its target is {definition['target']}, not the next hour."
    else:
        reason = "this run did not include it."
    return ModelDiagnosis([], [], f"Not diagnosed: {reason}")


def _hashes(inputs: Inputs) -> list[tuple[str, str]]:
    """(name, SHA-256) of the files that the page's numbers come from."""
    tables = {
        "summary": inputs.summary,
        "verdicts": inputs.verdicts,
        "overall": inputs.overall,
        "missing": inputs.missing,
        "check": inputs.check,
        **{f"stations, {name}": path for name, path in inputs.stations.items()},
    }
    named = [(f"scores: {name}", path) for name, path in tables.items() if path is not None]
    named += [(f"{name}: plan", path) for name, path in inputs.plans.items()]
    named += [(f"{name}: metrics", path) for name, path in inputs.metrics.items()]
    return [(name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in named]


def _script_hash() -> str:
    """The hash that the page's content security policy allows: that of its only script."""
    content = (_TEMPLATES / "page.js").read_bytes()
    return base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
