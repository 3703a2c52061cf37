"""Panels of a variable's figure: each file in `panels/` defines one as its `PANEL`.

A panel that has nothing to show for a variable is not drawn.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from stormdraw.report.style import Look, looks
from stormdraw.report.summary import load_summary
from stormdraw.scores.pooled import pooled_tables
from stormdraw.settings import Settings

# The star puts all panels into the digest of a figure that has panels (`stormdraw.code_digest`).
_FILES = "stormdraw.report.panels.*"


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

    def event(self) -> tuple[float, dict[str, tuple[np.ndarray, np.ndarray]]]:
        """The middle one of the thresholds that the truth reaches, and its forecasts by system.

        For each system these are the weight of all points and the weight of the points with the
        event, by forecast probability (M + 1,). Probabilities of a Gaussian are in hundredths.
        """
        reached: dict[float, dict[str, tuple[np.ndarray, np.ndarray]]] = {}
        for system, tables in self.tables.items():
            if "probability_weight_sum" not in tables:
                continue
            for index, threshold in enumerate(tables["threshold_value"].values):
                pair = (
                    tables["probability_weight_sum"].values[index],
                    tables["probability_event_sum"].values[index],
                )
                if pair[1].sum() > 0.0:
                    reached.setdefault(float(threshold), {})[system] = pair
        return middle(reached)


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


def middle(by_threshold: Mapping[float, dict[str, Any]]) -> tuple[float, dict[str, Any]]:
    """The middle threshold and its value in the mapping; NaN and {} if there is none."""
    thresholds = sorted(by_threshold)
    if not thresholds:
        return float("nan"), {}
    chosen = thresholds[len(thresholds) // 2]
    return chosen, by_threshold[chosen]
