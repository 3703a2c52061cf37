"""Scores: each file in `statistics/` defines one as its `SCORE` and gives it its name.

A score reduces one variable at one lead of a case to sums, which are written, and computes metrics
from the sums over cases. It also says how to present each metric. Nothing else names the file: the
score files, the tables of scores, the memory estimates and the page use the registry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from stormdraw.scores.sums import Cases, Sums
    from stormdraw.scores.verification import Event, Fields, Points, Wind

Arrays = dict[str, np.ndarray]
Length = int | Callable[[int], int]


@dataclass(frozen=True)
class Sum:
    """A sum or count in a score file, with dims (variable, lead, *dims).

    Arrays that are shorter than in another case or at another lead are padded with `fill`. Sums
    `for_diagrams` are not used by any metric.
    """

    meaning: str
    dims: tuple[str, ...] = ("region",)
    fill: float | str = 0.0
    kind: type = np.float64
    for_diagrams: bool = False


@dataclass(frozen=True)
class Metric:
    """How to present a metric. Without a label it is in the tables of scores but not on the page.

    `best` is the value of a good forecast. An `amount` has the units of the variable or none; a
    `ratio` is shown with two decimals, a `skill` in per cent. For systems without members the
    metric `stand_in` replaces it. Readers of the page can choose a metric that is `offered`. `dims`
    are those of `stormdraw.scores.parameters` that it depends on: they are columns of the tables of
    scores, and the label may contain them in braces.
    """

    label: str = ""
    best: Literal["low", "high", "one", ""] = ""
    kind: Literal["amount", "ratio", "skill"] = "amount"
    stand_in: str = ""
    offered: bool = False
    dims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """Sums of a case, and the metrics computed from them.

    The functions `points`, `fields`, `event` and `wind` return `sums`; they may omit some. `points`
    is called with a batch of points and their sorted members, and its results are added up. The
    others are called only if any point counts: `fields` with the members on the grid; `event` with
    each threshold of a variable that has thresholds (the dimension after the region is the
    threshold, and variables without thresholds do not get this score); `wind` with both components,
    together with the wind speed. `copies` is how many copies of a variable's members they need.

    `metrics` are by name. `cases` computes them (resample, lead, *Metric.dims) from sums over all
    cases. `sizes` computes them (resample, ...) at one lead from the sums for each number of
    members, for tables whose length depends on it. `against` computes `skills` from the metrics of
    a system and of another one.

    `maps` are (description, function of points); their sums over leads are kept. `lengths` are the
    lengths of dimensions that only this score's sums have, fixed or as a function of the number of
    members (0 for mean and spread); a dimension of the latter kind comes last. `place` orders the
    metrics on the page.
    """

    sums: Mapping[str, Sum]
    points: "Callable[[Points], Arrays] | None" = None
    fields: "Callable[[Fields], Arrays] | None" = None
    event: "Callable[[Event], Arrays] | None" = None
    wind: "Callable[[Wind], Arrays] | None" = None
    copies: int = 0
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    cases: "Callable[[Cases], Arrays] | None" = None
    sizes: "Callable[[Mapping[int, Sums]], Arrays] | None" = None
    skills: Mapping[str, Metric] = field(default_factory=dict)
    against: Callable[[Arrays, Arrays], Arrays] | None = None
    maps: "Mapping[str, tuple[str, Callable[[Points], np.ndarray]]]" = field(default_factory=dict)
    lengths: Mapping[str, Length] = field(default_factory=dict)
    place: int = 100
