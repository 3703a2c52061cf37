"""The base model's one-hour forecasts."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stormdraw.archive.base_model import BaseModel, base_models
from stormdraw.archive.request import FileRequest, by_lead
from stormdraw.archive.truths.analysis import Analysis
from stormdraw.times import hours
from stormdraw.variables import variable

if TYPE_CHECKING:
    from stormdraw.archive.settings import Archive


class HourAhead(Analysis):
    """The forecast of the run an hour before: `hrrr_f01`. It favours what the analysis favours."""

    simulated = False
    is_analysis = False

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(model.hour_ahead for model in base_models())

    def fits(self, base: BaseModel) -> bool:
        return self.name == base.hour_ahead and base.cycle_hours == 1

    def title(self, archive: "Archive", name: str) -> str:
        return f"{archive.base_model.title} {max(1, variable(name).shortest_lead)} h forecast"

    def files(self, archive: "Archive", names: Sequence[str], valid: datetime) -> list[FileRequest]:
        base = archive.base_model
        return [
            FileRequest(base.name, product, base.options, valid - hours(lead), lead, "", held)
            for lead, of_lead in by_lead(names, 1).items()
            for product, held in base.by_product(of_lead).items()
        ]

    def no_echo(self, base: BaseModel) -> float | None:
        return base.reflectivity_floor


TRUTH = HourAhead
