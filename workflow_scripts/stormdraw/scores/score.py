"""A score: a file in `statistics/`, and its name is the file's.

The file has a `SCORE`. Its statistics reduce one variable at one lead of a case to sums, which are
written; its metrics are made of sums over cases; and it says how each metric is read. Nothing else
names the file: the tables of scores, the score files, what they are planned to take in memory, and
the page find it here.
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

# What a metric may have one value for each of: the thresholds of its variable, the widths of
# neighbourhoods, and the probabilities from which on a warning is given.
PARAMETERS = ("threshold", "width", "probability")


@dataclass(frozen=True)
class Sum:
    """A sum or count in a score file, with dims (variable, lead) and these.

    Where an array is shorter than in another case or at another lead, `fill` fills it up. No metric
    is made of one `for_diagrams`.
    """

    meaning: str
    dims: tuple[str, ...] = ("region",)
    fill: float = 0.0
    kind: type = np.float64
    for_diagrams: bool = False


@dataclass(frozen=True)
class Metric:
    """How a metric is read; one without a label is in the tables of scores, but not on the page.

    `best` is what a good forecast has. An `amount` has the units of the variable or none, a `ratio`
    is told by two decimals, a `skill` in per cent. `stand_in` is the metric of a system that has no
    members. A metric that is `offered` can be chosen for the page's matrix. `dims` are what there
    is one of it for, of PARAMETERS: they are columns of the tables of scores, and may stand in
    braces in the label.
    """

    label: str = ""
    best: Literal["low", "high", "one", ""] = ""
    kind: Literal["amount", "ratio", "skill"] = "amount"
    stand_in: str = ""
    offered: bool = False
    dims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """Statistics, and the metrics made of them.

    `sums` are made by functions of what they need; a sum that a function leaves out is not there.
    `points` is called with some points at a time and their sorted members, and what it makes is
    added up. The others are called only where any point counts: `fields` with members on the grid,
    `event` with each threshold of a variable that has any (the dimension after the region is the
    threshold; a score that has this is not made of other variables), and `wind` with both
    components, once beside the speed. `copies` of a variable's members are held meanwhile.

    `metrics` are by name. `cases` makes them (resample, lead, ...) of sums over all cases, where
    `Metric.dims` follow the lead; `sizes` makes them (resample, ...) at one lead, of sums over the
    cases of each number of members, for tables as long as the ensemble. `against` makes `skills` of
    the metrics of a system and of another one.

    `maps` are values at each point, told in words, whose sums over leads are kept. `lengths` are
    those of dimensions that only this score's sums have, by itself or for so many members (0 for a
    mean and spread); one of the latter kind comes last. `place` orders the metrics on the page.
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
