"""Panels of a variable's figure: each file in `panels/` defines one as its `PANEL`.

A panel that has nothing to show for a variable is not drawn.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from stormdraw.report.style import Look, looks
from stormdraw.report.summary import load_summary
from stormdraw.report.wording import units_text
from stormdraw.scores.pooled import pooled_tables
from stormdraw.scores.threshold import Threshold
from stormdraw.settings import Settings

# The star puts all panels into the digest of a figure that has panels (`stormdraw.code_digest`).
_FILES = "stormdraw.report.panels.*"

# The weight of all points and that of those with the event, by forecast probability.
Table = tuple[np.ndarray, np.ndarray]
Found = TypeVar("Found")
# A value for each event and system, the most frequent event first.
ByEvent = Mapping[Threshold, dict[str, Found]]


@dataclass(frozen=True)
class Evidence:
    """The data that the panels of one variable draw.

    `summary` holds the rows of the variable, `tables` the sums over all cases and leads by system
    in the order of the configuration, and `files` the score files by system.
    """

    settings: Settings
    variable: str
    summary: pd.DataFrame
    tables: Mapping[str, xr.Dataset]
    files: Mapping[str, Sequence[Path]]

    def look(self, system: str) -> Look:
        """How a system is drawn."""
        return looks(self.settings)[system]

    def line(self, system: str, **changes: Any) -> dict[str, Any]:
        """The matplotlib options of a system's line with markers."""
        look = self.look(system)
        return {
            "color": look.colour,
            "linestyle": look.dash,
            "marker": look.marker,
            "markersize": 3.0,
            "linewidth": 1.1,
        } | changes

    def by_event(self, of: Callable[[xr.Dataset, int], Found | None]) -> ByEvent[Found]:
        """The result of `of(tables, index of the event)` for each event and system, without None.

        The event that is most frequent in the truth comes first.
        """
        found: dict[str, dict[str, Found]] = {}
        frequency: dict[str, float] = {}
        for system, tables in self.tables.items():
            for index, text in enumerate(tables["event"].values if "event" in tables else ()):
                own = of(tables, index)
                if own is not None:
                    found.setdefault(text, {})[system] = own
                    events, points = (
                        tables[f"probability_{what}_sum"].values[index].sum()
                        for what in ("event", "weight")
                    )
                    frequency.setdefault(text, events / points)
        ordered = sorted(found, key=lambda text: -frequency[text])
        return {Threshold.parse(text): found[text] for text in ordered}

    def event(self) -> tuple[str, dict[str, Table]]:
        """The title of the middle one of the events that occurred, and its forecasts by system.

        For each system these are the weight of all points and the weight of the points with the
        event, by forecast probability (M + 1,). Probabilities of a Gaussian are in hundredths.
        """
        return self.middle(self.by_event(_table))

    def middle(self, by_event: ByEvent[Found]) -> tuple[str, dict[str, Found]]:
        """The title of the middle event and its values by system; "" and {} if there is none."""
        return self._named(by_event, len(by_event) // 2)

    def rarest(self, by_event: ByEvent[Found]) -> tuple[str, dict[str, Found]]:
        """The title of the rarest event and its values by system; "" and {} if there is none."""
        return self._named(by_event, len(by_event) - 1)

    def _named(self, by_event: ByEvent[Found], place: int) -> tuple[str, dict[str, Found]]:
        if not by_event:
            return "", {}
        threshold = list(by_event)[place]
        return threshold.symbols(units_text(self.variable)), by_event[threshold]


def _table(tables: xr.Dataset, index: int) -> Table | None:
    everywhere, with_event = (
        tables[f"probability_{what}_sum"].values[index] for what in ("weight", "event")
    )
    return (everywhere, with_event) if with_event.sum() > 0.0 else None


@dataclass(frozen=True)
class Panel:
    """One panel. `place` is its position; `shows` says whether there is anything to draw."""

    place: int
    caption: str
    shows: Callable[[Evidence], bool]
    draw: Callable[[Axes, Evidence], None]


def panels_of(evidence: Evidence) -> list[Panel]:
    """The panels that have something to show, in order of place."""
    return [panel for panel in all_panels() if panel.shows(evidence)]


def all_panels() -> list[Panel]:
    """All panels, in order of place."""
    folder = Path(__file__).parent / "panels"
    panels: list[Panel] = [
        importlib.import_module(_FILES.replace("*", module.name)).PANEL
        for module in pkgutil.iter_modules([str(folder)])
    ]
    return sorted(panels, key=lambda panel: panel.place)


def read_evidence(
    settings: Settings, name: str, summary: str | Path, files: Mapping[str, Sequence[Path]]
) -> Evidence:
    """Read the summary and the score files (one per case) of each system.

    Raises StormdrawError if the systems cannot be compared.
    """
    rows = load_summary(summary)
    pooled = pooled_tables(files, name)
    order = [system.name for system in settings.ensembles.systems]
    return Evidence(
        settings,
        name,
        rows[rows["variable"] == name],
        {system: pooled[name, system] for system in order if (name, system) in pooled},
        files,
    )
