"""The page with everything: scorecard.html, self-contained."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from stormdraw.archive.truth_names import truth_sentences
from stormdraw.files import write_text
from stormdraw.models.diagnosis.hours import can_be_diagnosed
from stormdraw.provenance import commit, digest
from stormdraw.report.case_sheet import case_sheet
from stormdraw.report.completeness import completeness
from stormdraw.report.diagnoses import Table, diagnosis_tables
from stormdraw.report.evidence import ScoreTable, evidence
from stormdraw.report.figure import figures
from stormdraw.report.headline import headline_table
from stormdraw.report.limits import limits
from stormdraw.report.machine import hardware, versions
from stormdraw.report.model_cards import describe_model
from stormdraw.report.perfect_ratios import perfect_ratios
from stormdraw.report.portrait import portrait
from stormdraw.report.style import read_label
from stormdraw.report.summary import load_summary
from stormdraw.report.suspicious import suspicious_variables
from stormdraw.report.verdicts import describe_verdicts
from stormdraw.report.winner import winner_of
from stormdraw.report.wording import as_yaml
from stormdraw.settings import Settings
from stormdraw.variables import variable

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Inputs:
    """What the page is made from. Mappings are by name of the model or figure.

    `config` is the configuration as it was given; `models` holds the definition of each model.
    `figures` are by their path below results/report/figures, without ending; `diagnoses` are the
    files of models' diagnoses. `ensembles` (by system) and `truth` are
    what the case is drawn from. Missing models, manifests, figures, ensembles, verdicts and
    diagnoses leave a stated gap.
    """

    config: Mapping[str, Any]
    models: Mapping[str, Mapping[str, Any]]
    summary: Path
    plans: Mapping[str, Path]
    metrics: Mapping[str, Path]
    manifests: Sequence[Path]
    figures: Mapping[str, Path]
    verdicts: Path | None = None
    missing: Path | None = None
    ensembles: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    truth: Sequence[Path] = ()
    quality: Sequence[Path] = ()
    diagnoses: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Embedded:
    """A figure on the page; `data` is None where `alternative` says why there is none."""

    name: str
    title: str
    caption: str
    alternative: str
    data: str | None
    width: int


def write_scorecard(settings: Settings, inputs: Inputs, output: str | Path) -> None:
    """Write scorecard.html.

    Raises StormdrawError if an input is not what the file contracts say.
    """
    summary = load_summary(inputs.summary)
    table = headline_table(summary, settings)
    page = (
        _environment()
        .get_template("scorecard.html.jinja")
        .render(
            settings=settings,
            truth=truth_sentences(settings),
            table=table,
            winner=winner_of(summary, settings),
            portrait=portrait(summary, settings),
            ratios=perfect_ratios(summary, settings),
            chapters=_chapters(summary, settings, inputs),
            case=case_sheet(settings, inputs.ensembles, inputs.truth),
            verdicts=describe_verdicts(inputs.verdicts, inputs.missing, settings),
            figures=[
                embed(name, inputs.figures.get(name))
                for name, figure in figures().items()
                if figure.each == "run"
            ],
            models=[
                describe_model(
                    name,
                    inputs.models.get(name),
                    inputs.plans.get(name),
                    inputs.metrics.get(name),
                    settings.report,
                )
                for name in settings.model_names
            ],
            diagnoses={name: _diagnosis(name, inputs) for name in settings.model_names},
            archive=completeness(inputs.manifests),
            suspicious=suspicious_variables(inputs.quality),
            points=_points(summary),
            configuration=as_yaml(inputs.config),
            all_settings=as_yaml(settings.model_dump(mode="json")),
            versions=versions(),
            hardware=hardware(),
            commit=commit(),
            settings_hash=digest(settings.model_dump(mode="json")),
            limits=limits(settings, table),
            files=_hashes(inputs),
            script=(_TEMPLATES / "animation.js").read_text(encoding="utf-8"),
            script_hash=_script_hash(),
        )
    )
    write_text(output, page)


@dataclass(frozen=True)
class Chapter:
    """One variable on the page: its sheet of panels, and all its scores."""

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
    """A model from the inside: tables and figures, or in `gap` why there are none."""

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
    definition = inputs.models.get(name, {})
    if "target" in definition and not can_be_diagnosed(definition):
        reason = f"its target is {definition['target']}, not the next hour."
    else:
        reason = "that was not done in this run."
    return ModelDiagnosis([], [], f"Not diagnosed: {reason}")


def _hashes(inputs: Inputs) -> list[tuple[str, str]]:
    """(name, SHA-256) of the small files that the page's numbers are from."""
    given = {"summary": inputs.summary, "verdicts": inputs.verdicts, "missing": inputs.missing}
    named = [(f"scores: {what}", path) for what, path in given.items() if path is not None]
    named += [(f"{name}: plan", path) for name, path in inputs.plans.items()]
    named += [(f"{name}: metrics", path) for name, path in inputs.metrics.items()]
    return [(name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in named]


def _script_hash() -> str:
    """What the page's policy lets run: this script and no other."""
    # As the browser sees it: the text between the tags.
    content = (_TEMPLATES / "animation.js").read_bytes()
    return base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")


def embed(name: str, path: str | Path | None) -> Embedded:
    """A figure as the page takes it in: a data URI, and the words that go with it.

    Raises StormdrawError if the file is there but not a figure of the report.
    """
    figure = figures()[name]
    if path is None:
        reason = "This figure was not made in this run."
        return Embedded(name, figure.title, figure.caption, reason, None, 0)
    label = read_label(path)
    if label.gap:
        return Embedded(name, figure.title, figure.caption, label.description, None, 0)
    encoded = base64.b64encode(Path(path).read_bytes()).decode("ascii")
    data = f"data:image/svg+xml;base64,{encoded}"
    return Embedded(name, figure.title, figure.caption, label.description, data, label.width)


def _points(summary: pd.DataFrame) -> int | None:
    """How many points a score of one lead rests on, over all cases; None if nothing tells."""
    points = summary.loc[summary["metric"] == "points", "value"].dropna()
    return int(points.max()) if len(points) else None


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
