"""The states that models learn from and start at: the base model's analyses."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stormdraw.archive.base_model import BaseModel, base_model_names
from stormdraw.archive.request import FileRequest
from stormdraw.archive.truth import Truth
from stormdraw.variables import variable

if TYPE_CHECKING:
    from stormdraw.archive.settings import Archive


class Analysis(Truth):
    """The analyses of the base model, by whose name it goes.

    A statistic over an hour has no analysis: the forecast of the run before stands for it.
    """

    simulated = True
    is_analysis = True
    on_model_grid = True

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return base_model_names()

    def fits(self, base: BaseModel) -> bool:
        return self.name == base.name

    def title(self, archive: "Archive", name: str) -> str:
        if archive.source == "simulated":
            return "simulated analysis"
        model, lead = archive.base_model, archive.analysis_lead
        shortest = variable(name).shortest_lead
        if shortest > lead:
            return f"{model.title} {shortest} h forecast"
        if model.cycle_hours > 1:
            longest = lead + model.cycle_hours - 1
            return f"{model.title} analysis, or forecast of up to {longest} h between its runs"
        if lead:
            return f"{model.title} {lead} h forecast, in place of its analysis"
        return f"{model.title} analysis"

    def favours(self, archive: "Archive") -> str:
        if archive.source == "simulated":
            return ", from which the models learn"
        title = archive.base_model.title
        return (
            f", not observations: it favours systems made from {title}, which share its climate "
            "and its errors, over those that are not"
        )

    def files(self, archive: "Archive", names: Sequence[str], valid: datetime) -> list[FileRequest]:
        return []


TRUTH = Analysis
