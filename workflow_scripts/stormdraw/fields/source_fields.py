"""The common type of decoded fields on their original grid."""

from dataclasses import dataclass

import numpy as np

from stormdraw.curvilinear import SourceGrid


@dataclass(frozen=True)
class SourceField:
    """A variable's values, float32 (y, x), rows from south to north; NaN where missing.

    `grid_relative_winds` says whether wind components follow the grid's axes or the compass;
    `origin` is the file or archive that errors name.
    """

    name: str
    values: np.ndarray
    grid: SourceGrid
    origin: str
    grid_relative_winds: bool = True
