"""A file of an archive, and what is wanted from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stormdraw.archive.series import Series
from stormdraw.messages import Statistic
from stormdraw.variables import variable

Options = tuple[tuple[str, str | int], ...]


@dataclass(frozen=True)
class FileRequest:
    """One file of the archive, and what is wanted from it.

    `model`, `product` and `options` are Herbie's. `init` and `lead` (hours) are those of the file,
    which for an older member of an ensemble differ from those of the cycle. `member` is empty for
    files that are not of a member; `statistic` is set for a product of an ensemble. `whole` is set
    if a field with a missing point is useless, `excluded` if the configuration excludes the file. A
    file of a `series` is the one of it that is nearest to the valid time; Herbie does not know it.
    """

    model: str
    product: str
    options: Options
    init: datetime
    lead: int
    member: str
    variables: tuple[str, ...]
    statistic: Statistic | None = None
    whole: bool = False
    excluded: bool = False
    series: Series | None = None

    def __str__(self) -> str:
        return f"{self.model} {self.product} of {self.init:%Y-%m-%d %H} UTC + {self.lead} h"


def by_lead(names: Sequence[str], least: int) -> dict[int, tuple[str, ...]]:
    """The variables by the shortest lead in hours at which they are, and `least`."""
    of_lead: dict[int, tuple[str, ...]] = {}
    for name in names:
        lead = max(least, variable(name).shortest_lead)
        of_lead[lead] = (*of_lead.get(lead, ()), name)
    return of_lead
