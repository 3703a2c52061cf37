"""HRRR: an earlier run of the base model itself, from every hour."""

from collections.abc import Sequence
from datetime import datetime

from stormdraw.archive.base_model import base_model
from stormdraw.archive.driving_model import DrivingModel
from stormdraw.grids import Grid


class _EarlierRun(DrivingModel):
    def longest_lead_of(self, cycle: datetime) -> int:
        """By the version of HRRR and the hour of the day."""
        return base_model(self.model).longest_lead(cycle)

    def grid(self) -> Grid:
        """That of the base model."""
        return base_model(self.model).grid

    def by_product(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Fields of single levels and of pressure levels are in two products."""
        return base_model(self.model).by_product(names)


DRIVING = _EarlierRun(
    model="hrrr",
    product="sfc",
    cycle_hours=1,
    step_hours=1,
    longest_lead=48,
    variables=("T2M", "D2M", "U10", "V10", "PWAT"),
    last_hour=True,
)
