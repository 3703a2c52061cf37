"""What a checkpoint says of itself: all but the weights, so that reading it needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from stormdraw.errors import StormdrawError
from stormdraw.models.settings import ModelSettings
from stormdraw.models.trained_grid import TrainedGrid
from stormdraw.roles import Roles
from stormdraw.section import explain
from stormdraw.settings import Settings

# Raised by each change of the content. Format 3 has no `record`.
FORMAT = 4
READABLE = (3, FORMAT)

# Of the models that stormdraw trains; what they learnt from has terms of its own.
_LICENCE = "MIT"


@dataclass(frozen=True)
class Header:
    """The content of a checkpoint, of which the weights are not used; `origin` is for messages."""

    origin: str
    content: Mapping[str, Any]

    @property
    def settings(self) -> ModelSettings:
        """The settings of the model. Raises StormdrawError if this version has no such model."""
        try:
            return ModelSettings.model_validate(self.content["settings"])
        except ValidationError as error:
            raise StormdrawError(
                f"{self.origin}: its settings are not those of this version ({explain(error)}); "
                "train it again"
            ) from None

    @property
    def roles(self) -> Roles:
        """The roles of its variables; before there were roles, models predicted all."""
        given = self.content.get("roles", {"predicted": self.content["variables"]})
        return Roles.model_validate(given)

    @property
    def grid(self) -> TrainedGrid:
        """The grid it was trained on."""
        return TrainedGrid.from_dict(self.content["grid"])

    @property
    def longest_lead(self) -> int | None:
        """The longest lead in hours that it learnt, if what it is given ages with the lead."""
        return self.content.get("longest_lead")

    @property
    def record(self) -> Mapping[str, Any]:
        """What its training was (`record_of`); empty if it does not say."""
        return self.content.get("record", {})

    @property
    def metrics(self) -> Mapping[str, Any]:
        """The content of `metrics.json` of its training, without epochs if it does not say."""
        return self.record.get("metrics", {"model": self.content["name"], "epochs": []})

    def require_roles(self, run: Roles, or_else: str) -> None:
        """Raise StormdrawError if it is of other variables or roles than a run has.

        Its message ends with `or_else`.
        """
        wanted = self.settings.roles_of(run)
        if self.roles != wanted:
            raise StormdrawError(
                f"{self.origin}: was trained for {self.roles}, but the configuration's variables "
                f"are {wanted}; {or_else}"
            )


def require_lead(learnt: int | None, longest: int, what: str, or_else: str) -> None:
    """Raise StormdrawError if a model never learnt from forecasts of `longest` hours.

    `learnt` is as `Header.longest_lead`, `what` names the model and its user, and the message ends
    with `or_else`.
    """
    if learnt is not None and longest > learnt:
        raise StormdrawError(
            f"{what} learnt from forecasts of up to {learnt} h, since what it is given ages with "
            f"the lead, but the longest lead is {longest} h; take shorter leads, or {or_else}"
        )


def record_of(run: Settings, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What a training was: its data, its periods, its losses and its cost."""
    archive = run.archive.model_dump(mode="json", include={"model", "source", "analysis_lead"})
    if isinstance(archive["source"], dict):
        # Where a folder lies is the business of its owner.
        archive["source"] = "mirror"
    return {
        "title": run.title,
        "licence": _LICENCE,
        "archive": archive,
        "periods": run.periods.model_dump(mode="json", include={"training", "validation"}),
        "metrics": dict(metrics),
    }
