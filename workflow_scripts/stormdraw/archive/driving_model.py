"""A model whose forecasts drive ours: of a larger scale, or an earlier run of the base model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stormdraw.grids import Grid, latitude_longitude


@dataclass(frozen=True)
class DrivingModel:
    """What the archive has of a driving model.

    `model` and `product` are Herbie's. A cycle starts every `cycle_hours` hours from 00 UTC on and
    has a forecast every `step_hours` hours to `longest_lead` hours. `variables` are those that
    drive if a configuration names none. `members` is the number of its perturbed forecasts, counted
    from 1; 0 for a single forecast. `last_hour` says whether it has sums and extremes over the hour
    before each forecast. On the surfaces `none_on` (GRIB2 code table 4.5) it has no field.
    `message_bytes` is about what a message takes; 1 MB on the globe at 0.25 degree.
    """

    model: str
    product: str
    cycle_hours: int
    step_hours: int
    longest_lead: int
    variables: tuple[str, ...]
    members: int = 0
    last_hour: bool = False
    none_on: tuple[int, ...] = ()
    message_bytes: int = 1_000_000

    def has_statistic(self, hours: int) -> bool:
        """Whether it has a sum or an extreme over so many hours before every forecast."""
        return self.last_hour and hours == 1

    def longest_lead_of(self, cycle: datetime) -> int:
        """The longest lead of a cycle in hours."""
        return self.longest_lead

    def grid(self) -> Grid:
        """The grid of its files: the globe at 0.25 degree."""
        return latitude_longitude(0.0, 359.75, -90.0, 90.0, (721, 1440))

    def by_product(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The variables by Herbie's name of the product that holds them."""
        return {self.product: tuple(names)}

    def options(self, member: int) -> tuple[tuple[str, str | int], ...]:
        """Herbie's further options for the file of a member."""
        return (("member", member),) if self.members else ()

    def member_name(self, member: int) -> str:
        """The name of a member in manifests; empty for a single forecast."""
        return f"p{member:02d}" if self.members else ""
