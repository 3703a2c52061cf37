"""The products that a reference ensemble publishes: the mean and spread of its members.

HREF's are on a 5 km grid, those of REFS on HRRR's.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import numpy as np

from stormdraw.grids import Grid
from stormdraw.membership import PRODUCT_VARIABLES, members_at
from stormdraw.simulated.base import UNKNOWN_PROCESS
from stormdraw.simulated.gribs import Encoder, ensemble_product
from stormdraw.simulated.lattices import Interpolation, five_kilometre_grid
from stormdraw.simulated.layout import product_path
from stormdraw.simulated.model_files import Fields, write_messages
from stormdraw.simulated.plan import model_name
from stormdraw.times import hours

# The spread is the standard deviation about the mean of the available members (ddof 0), as in
# operational products.
_STATISTICS: Mapping[str, tuple[str, Callable[..., np.ndarray]]] = {
    "mean": ("mean", np.mean),
    "sprd": ("spread", np.std),
}


class ProductFiles:
    """Collects members' fields and writes the products of `href` or `refs` from them."""

    def __init__(self, reference: str, window: Grid) -> None:
        self.reference = reference
        self.grid = window if reference == "refs" else five_kilometre_grid(window)
        self._collected: dict[tuple[str, datetime, int], Fields] = {}
        self._interpolations: dict[Grid, Interpolation] = {}

    def collect(self, model: str, init: datetime, lead: int, fields: Fields, grid: Grid) -> None:
        """Add the fields (y, x) of a model's file, which are on `grid`."""
        interpolation = self._interpolations.setdefault(grid, Interpolation(grid, self.grid))
        interpolated = interpolation.apply(fields)
        interpolated["WIND10"] = np.hypot(interpolated["U10"], interpolated["V10"])
        # Single precision, since many of them are held here.
        self._collected[model, init, lead] = {
            name: interpolated[name].astype(np.float32) for name in PRODUCT_VARIABLES
        }

    def write(self, folder: Path, case: datetime, leads: tuple[int, ...]) -> None:
        """Write the mean and spread files of a cycle, from the members that reach each lead."""
        with Encoder(self.grid, UNKNOWN_PROCESS) as encoder:
            for lead in leads:
                members = [
                    self._collected[model_name(member), case - hours(member.age), own_lead]
                    for member in members_at(self.reference, case)
                    if member.reaches(lead)
                    for own_lead in [member.own_lead(lead)]
                ]
                if not members:
                    continue
                for file, (statistic, reduce) in _STATISTICS.items():
                    messages = []
                    for name in PRODUCT_VARIABLES:
                        values = np.stack([member[name] for member in members])
                        reduced = reduce(values, axis=0, dtype=np.float64)
                        product = ensemble_product(name, statistic)
                        messages.append(
                            encoder.encode(product, reduced, case, lead, members=len(members))
                        )
                    path = folder / product_path(self.reference, file, case, lead)
                    write_messages(path, messages)
