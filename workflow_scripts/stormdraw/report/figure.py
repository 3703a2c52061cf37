"""Figures of the report: each file in `figures/` defines one and gives it its name.

The file's `FIGURE` holds the caption, the inputs and the function that draws. The rule
`report_figure` makes it; the page and Snakemake's report show it.
"""

import functools
import importlib
import operator
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stormdraw.settings import Settings

# The inputs a figure may have. `statistics` are several files per system, `maps` one file per
# system, `metrics` one per model; the others are single files.
Input = Literal["summary", "statistics", "maps", "audit", "metrics", "diagnosis", "places"]

# In the order in which Snakemake's report and the page show them.
CATEGORIES = ("Variables", "Scores", "Stations", "Members", "Archive", "Training", "Models")

_FOLDER = "stormdraw.report.figures"


@dataclass(frozen=True)
class Files:
    """The input files of a figure; only those that the figure reads are set.

    `of` is the variable or model of a figure that is drawn for each variable or model.
    """

    of: str = ""
    summary: Path = Path()
    statistics: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    maps: Mapping[str, Path] = field(default_factory=dict)
    audit: Path = Path()
    metrics: Mapping[str, Path] = field(default_factory=dict)
    diagnosis: Path = Path()
    places: Path = Path()


@dataclass(frozen=True)
class ReportFigure:
    """A figure: title, caption, inputs and the function that draws it.

    `draw(settings, files, output)` writes an SVG (`stormdraw.report.style.drawn`). `reads` names
    the input files, `settings` the keys of the configuration that change the picture. `each` says
    whether there is one figure for the run, or one for each variable or diagnosed model. What
    develops `over_time` is shown where cases are added to others, in verified forecasts.
    """

    title: str
    category: str
    caption: str
    reads: tuple[Input, ...]
    settings: tuple[str, ...]
    draw: Callable[[Settings, Files, Path], None]
    each: Literal["run", "variable", "model"] = "run"
    over_time: bool = False

    def there_in(self, settings: Settings) -> bool:
        """Whether a run has what it shows: stations, an archive, models that were trained."""
        has = {
            "places": settings.archive.stations is not None,
            "audit": settings.uses_archive,
            "metrics": bool(settings.models) and not settings.verify,
        }
        if self.over_time and not settings.verify:
            return False
        return all(has.get(name, True) for name in self.reads)


def figures() -> dict[str, ReportFigure]:
    """All figures by name, in the order of their categories."""
    folder = Path(__file__).parent / "figures"
    names = [module.name for module in pkgutil.iter_modules([str(folder)])]
    by_name = {name: importlib.import_module(f"{_FOLDER}.{name}").FIGURE for name in names}
    return dict(sorted(by_name.items(), key=lambda item: CATEGORIES.index(item[1].category)))


def figures_of(settings: Settings) -> dict[str, ReportFigure]:
    """The figures of a run, by name: those of which it has what they show."""
    return {name: figure for name, figure in figures().items() if figure.there_in(settings)}


def module_of_figure(name: str) -> str:
    """The module of a figure, which is imported by name."""
    return f"{_FOLDER}.{name}"


def figure_paths(
    found: Mapping[str, ReportFigure], variables: Sequence[str], models: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """(figure, variable or model or "") of each figure file, by path.

    Paths are relative to `results/report/figures/` and have no suffix.
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
    """The values of the keys that change the picture, by dotted key such as `scores.confidence`."""
    everything = settings.model_dump(mode="json")
    return {
        key: functools.reduce(operator.getitem, key.split("."), everything)
        for key in figure.settings
    }


def as_rst(figure: ReportFigure) -> str:
    """The caption as reStructuredText for Snakemake's report, one sentence per line."""
    sentences = figure.caption.replace(". ", ".\n")
    return f"**{figure.title}.**\n{sentences}\n"
