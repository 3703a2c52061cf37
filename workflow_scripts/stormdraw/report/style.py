"""The style of all figures: one colour per system everywhere, and reproducible SVG files."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stormdraw.ensembles.system import Role
from stormdraw.errors import StormdrawError
from stormdraw.files import replacing
from stormdraw.settings import Settings

# 9.3 inches are 893 CSS pixels: the width of the page's text, and of paper in landscape format.
WIDTH = 9.3

# Resolution of pixel layers inside a vector figure: twice the 96 pixels per inch of a screen.
RASTER_DPI = 192

# Glyphs are outlines of matplotlib's own font, so figures look the same whatever fonts a machine
# has. The salt makes the ids inside the SVG the same in every run.
_STYLE: Any = {
    "svg.fonttype": "path",
    "svg.hashsalt": "stormdraw",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.0,
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#8a8f98",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e4e6ea",
    "grid.linewidth": 0.6,
    "xtick.color": "#555b66",
    "ytick.color": "#555b66",
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "legend.title_fontsize": 8.5,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.0,
    "figure.titlesize": 8.5,
    "figure.constrained_layout.h_pad": 0.06,
}

NOTE_COLOUR = "#555b66"

_GAP = "gap"


_DOTTED = (0.0, (1.0, 1.0))


@dataclass(frozen=True)
class Look:
    """How a system is drawn in every figure. Marker and dash distinguish it without colour, too."""

    colour: str
    dash: str | tuple[float, tuple[float, ...]]
    marker: str


# Okabe and Ito's colours (https://jfly.uni-koeln.de/color/), which are distinct for all kinds of
# colour vision. Their yellow is left out, because it is hard to see on white.
_LOOKS: dict[Role, tuple[Look, ...]] = {
    "contender": (
        Look("#0072B2", "solid", "o"),
        Look("#D55E00", "solid", "s"),
        Look("#CC79A7", "solid", "D"),
        Look("#E69F00", "solid", "v"),
        Look("#56B4E9", "solid", "P"),
    ),
    "reference": (Look("#000000", "solid", "^"), Look("#000000", (0.0, (4.0, 1.5)), "<")),
    "ceiling": (Look("#009E73", "solid", "*"),),
    "baseline": (Look("#6b7280", (0.0, (4.0, 2.0)), "x"), Look("#9aa1ad", (0.0, (1.0, 1.2)), "+")),
}


def looks(settings: Settings) -> dict[str, Look]:
    """The look of each system, from its role and its position among the systems of that role.

    A system's twins share its colour and marker but are dotted. Looks depend on the configuration
    only, never on which systems a figure happens to show.
    """
    by_system: dict[str, Look] = {}
    for role, palette in _LOOKS.items():
        for place, system in enumerate(settings.ensembles.given_in_role(role)):
            by_system[system.name] = palette[place % len(palette)]
            for twin in system.twins():
                by_system[twin.name] = replace(by_system[system.name], dash=_DOTTED)
    return by_system


@contextlib.contextmanager
def drawn(
    output: str | Path,
    size: tuple[float, float],
    title: str,
    layout: Literal["constrained"] | None = "constrained",
) -> Iterator[Figure]:
    """Yield an empty figure of `size` (width, height) in inches, then write it as SVG to `output`.

    With layout None the caller places the axes itself, which is faster. The caller must set the
    figure's alternative text with `describe`.
    """
    with matplotlib.style.context(_STYLE, after_reset=True):
        figure = Figure(figsize=size, layout=layout)
        yield figure
        _write(figure, Path(output), {"Title": title, "Description": _described(figure)})


def describe(figure: Figure, text: str) -> None:
    """Set the figure's alternative text for readers who cannot see it."""
    figure.set_label(text)


def _described(figure: Figure) -> str:
    text = str(figure.get_label())
    if not text:
        raise ValueError("a figure needs an alternative text for readers who cannot see it")
    return text


def write_gap(output: str | Path, title: str, reason: str) -> None:
    """Write a figure that only states why there is nothing to show."""
    with matplotlib.style.context(_STYLE, after_reset=True):
        figure = Figure(figsize=(WIDTH / 2, 0.7), layout="constrained")
        figure.text(0.02, 0.66, title, weight="bold", va="center")
        figure.text(0.02, 0.3, reason, color=NOTE_COLOUR, va="center", wrap=True)
        _write(figure, Path(output), {"Title": title, "Description": reason, "Keywords": [_GAP]})


def _write(figure: Figure, output: Path, metadata: dict[str, Any]) -> None:
    with replacing(output) as temporary:
        figure.savefig(
            temporary,
            format="svg",
            dpi=RASTER_DPI,
            metadata={**metadata, "Date": None, "Creator": None},
        )


@dataclass(frozen=True)
class Label:
    """Title, description and width (CSS pixels) of a figure file.

    `gap` is True if the figure only states why there is nothing to show.
    """

    title: str
    description: str
    gap: bool
    width: int


def read_label(path: str | Path) -> Label:
    """Read the label that `drawn` or `write_gap` stored in an SVG.

    Raises StormdrawError if the file is not such an SVG.
    """
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314 - written by this library
    except (ElementTree.ParseError, FileNotFoundError) as error:
        raise StormdrawError(f"{path}: not a figure of the report ({error}); delete it") from None
    core = "{http://purl.org/dc/elements/1.1/}"
    title = root.findtext(f".//{core}title")
    description = root.findtext(f".//{core}description")
    if title is None or description is None:
        raise StormdrawError(f"{path}: an SVG without title and description; delete it")
    keywords = [item.text for item in root.iterfind(f".//{core}subject//*")]
    # matplotlib writes points, 72 per inch; there are 96 CSS pixels per inch.
    width = round(float(root.get("width", "0pt").removesuffix("pt")) * 96 / 72)
    return Label(title, description, _GAP in keywords, width)


def panels(
    figure: Figure, count: int, columns: int, **options: Any
) -> tuple[list[Axes], list[Axes]]:
    """`count` axes in rows of `columns`, and those among them that have no axes below."""
    rows = -(-count // columns)
    grid = figure.subplots(rows, columns, squeeze=False, **options)
    flat = list(grid.flat)
    for unused in flat[count:]:
        unused.set_axis_off()
    return flat[:count], [
        axes for index, axes in enumerate(flat[:count]) if index + columns >= count
    ]


def note_in_corner(axes: Axes, *lines: str) -> None:
    """Write a small note in the upper left corner of a panel, which curves rarely reach."""
    axes.text(
        0.02,
        0.98,
        "\n".join(lines),
        transform=axes.transAxes,
        va="top",
        fontsize=6.5,
        color=NOTE_COLOUR,
        bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.0},
    )


def lead_axis(axes: Axes, leads: Sequence[int], label: bool) -> None:
    """Lead time on the x axis, with at most eight ticks."""
    step = -(-len(leads) // 8)
    axes.set_xticks(list(leads)[::step])
    # The margin of half an hour centres the only point of a single lead.
    axes.set_xlim(min(leads) - 0.5, max(leads) + 0.5)
    if label:
        axes.set_xlabel("lead (h)")
