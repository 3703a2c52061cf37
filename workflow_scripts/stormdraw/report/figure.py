"""A figure of the report: a file in `figures/`, and its name is the file's.

The file has a `FIGURE`, which says how to read it and what it is drawn from. The rule
`report_figure` makes it, the page and Snakemake's report show it.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stormdraw.settings import Settings

# What a figure may be drawn from: `statistics` are files by system, `maps` are one by system and
# `metrics` by model; the others are what their rules make.
Input = Literal["summary", "statistics", "maps", "audit", "metrics", "diagnosis"]

# In the order in which Snakemake's report and the page show them.
CATEGORIES = ("Variables", "Scores", "Members", "Archive", "Training", "Models")

_FOLDER = "stormdraw.report.figures"


@dataclass(frozen=True)
class Files:
    """What a figure is drawn from, each only where the figure reads it.

    `of` is the variable or the model of a figure that there is one of for each.
    """

    of: str = ""
    summary: Path = Path()
    statistics: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    maps: Mapping[str, Path] = field(default_factory=dict)
    audit: Path = Path()
    metrics: Mapping[str, Path] = field(default_factory=dict)
    diagnosis: Path = Path()


@dataclass(frozen=True)
class ReportFigure:
    """How to read a figure, what it is drawn from, and the function that draws it.

    `draw(settings, files, output)` writes an SVG (`stormdraw.report.style.drawn`). `reads` names
    files, and `settings` the keys of the configuration that change the picture. There is one for
    the whole run, or one for `each` variable or diagnosed model.
    """

    title: str
    category: str
    caption: str
    reads: tuple[Input, ...]
    settings: tuple[str, ...]
    draw: Callable[[Settings, Files, Path], None]
    each: Literal["run", "variable", "model"] = "run"


def figures() -> dict[str, ReportFigure]:
    """All figures by name, in the order of their categories."""
    folder = Path(__file__).parent / "figures"
    names = [module.name for module in pkgutil.iter_modules([str(folder)])]
    found = {name: importlib.import_module(f"{_FOLDER}.{name}").FIGURE for name in names}
    return dict(sorted(found.items(), key=lambda item: CATEGORIES.index(item[1].category)))


def module_of_figure(name: str) -> str:
    """The module of a figure, which no import statement names."""
    return f"{_FOLDER}.{name}"


def figure_paths(
    found: Mapping[str, ReportFigure], variables: Sequence[str], models: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """(name of the figure, variable or model or "") of each file, by its path without ending.

    The path is below `results/report/figures/`.
    """
    paths: dict[str, tuple[str, str]] = {}
    for name, figure in found.items():
        if figure.each == "run":
            paths[name] = (name, "")
        elif figure.each == "variable":
            paths |= {f"variables/{of}": (name, of) for of in variables}
        else:
            paths |= {f"models/{of}/{name}": (name, of) for of in models}
    return paths


def settings_of(figure: ReportFigure, settings: Settings) -> dict[str, Any]:
    """The values of the keys that change the picture, by key: `scores.confidence`, say."""
    everything = settings.model_dump(mode="json")
    chosen = {}
    for key in figure.settings:
        value: Any = everything
        for part in key.split("."):
            value = value[part]
        chosen[key] = value
    return chosen


def as_rst(figure: ReportFigure) -> str:
    """The caption as reStructuredText, a sentence a line, for Snakemake's report."""
    sentences = figure.caption.replace(". ", ".\n")
    return f"**{figure.title}.**\n{sentences}\n"
