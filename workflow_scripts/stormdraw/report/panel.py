"""A panel of a variable's figure: a file in `panels/`.

The file has a `PANEL`. A panel that has nothing to show for a variable is not drawn.
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

# With the star, all of them are in the digest of a figure that has panels.
_FILES = "stormdraw.report.panels.*"


@dataclass(frozen=True)
class Evidence:
    """What the panels of one variable are drawn from.

    `summary` has the rows of the variable; `tables` the sums of all cases and leads, by system in
    the order of the configuration; `files` the score files behind them, by system.
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
        """The options of a system's line with markers."""
        look = self.look(system)
        return {
            "color": look.colour,
            "linestyle": look.dash,
            "marker": look.marker,
            "markersize": 3.0,
            "linewidth": 1.1,
        } | changes

    def event(self) -> tuple[float, dict[str, tuple[np.ndarray, np.ndarray]]]:
        """The middle one of the thresholds that the truth reached, and how often it was forecast.

        For each system the weight of all points and that of those with the event, by forecast
        probability, (M + 1,); a Gaussian's probabilities are in hundredths.
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
    """One panel: `place` orders them, `shows` tells whether there is anything to draw."""

    place: int
    caption: str
    shows: Callable[[Evidence], bool]
    draw: Callable[[Axes, Evidence], None]


def panels_of(evidence: Evidence) -> list[Panel]:
    """The panels that have something to show, in order."""
    return [panel for panel in all_panels() if panel.shows(evidence)]


def all_panels() -> list[Panel]:
    """Every panel there is, in order."""
    folder = Path(__file__).parent / "panels"
    found: list[Panel] = [
        importlib.import_module(_FILES.replace("*", module.name)).PANEL
        for module in pkgutil.iter_modules([str(folder)])
    ]
    return sorted(found, key=lambda panel: panel.place)


def read_evidence(
    settings: Settings, name: str, summary: str | Path, files: Mapping[str, Sequence[Path]]
) -> Evidence:
    """Read the summary and the score files of each system, one a case.

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
    """The middle one of some thresholds and what belongs to it; NaN and {} if there is none."""
    thresholds = sorted(by_threshold)
    if not thresholds:
        return float("nan"), {}
    chosen = thresholds[len(thresholds) // 2]
    return chosen, by_threshold[chosen]
