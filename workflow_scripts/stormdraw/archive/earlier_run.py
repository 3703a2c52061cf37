"""An earlier run of the base model itself, as a driving model."""

from collections.abc import Sequence
from datetime import datetime

from stormdraw.archive.base_model import base_model
from stormdraw.archive.driving_model import DrivingModel
from stormdraw.grids import Grid

# What drives if a configuration names nothing: every base model has it beside its states.
_USUAL = ("T2M", "D2M", "U10", "V10", "PWAT")


class EarlierRun(DrivingModel):
    """What a driving model is told, as the base model of that name says."""

    @classmethod
    def of(cls, name: str) -> "EarlierRun":
        """An earlier run of a base model."""
        base = base_model(name)
        return cls(
            model=name,
            product=base.product("sfc"),
            cycle_hours=base.cycle_hours,
            step_hours=1,
            longest_lead=max(version.main for version in base.versions),
            variables=_USUAL,
            last_hour=True,
        )

    def longest_lead_of(self, cycle: datetime) -> int:
        """By the version of the model and the hour of the day; -1 if no run starts then."""
        return base_model(self.model).longest_lead(cycle)

    def grid(self) -> Grid:
        """That of the base model."""
        return base_model(self.model).grid

    def by_product(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Fields of single levels and of pressure levels are in two products."""
        return base_model(self.model).by_product(names)

    def options(self, member: int) -> tuple[tuple[str, str | int], ...]:
        """Those of the base model."""
        return base_model(self.model).options
