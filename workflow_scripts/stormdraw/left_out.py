"""What a run does without: systems and models that are left out, each with why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from stormdraw.ensembles.settings import ModelSystem
from stormdraw.errors import StormdrawError
from stormdraw.section import Name, Section

if TYPE_CHECKING:
    from stormdraw.settings import Settings


class LeftOut(Section):
    """Systems and models that are neither made nor scored, by name, each with why."""

    systems: dict[Name, str] = Field(default_factory=dict)
    models: dict[Name, str] = Field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.systems or self.models)

    def sentences(self) -> list[str]:
        """One for each model and each system."""
        named = {"model": self.models, "system": self.systems}
        return [
            f"The {what} {name} is left out: {reason.rstrip('.')}."
            for what, reasons in named.items()
            for name, reason in reasons.items()
        ]


# `unfinished`: whatever a run has not come to (stormdraw.unfinished).
Choice = LeftOut | Literal["unfinished"]


def leave_out(settings: Settings) -> Settings:
    """The settings without what their `left_out` names, and without what cannot be without it.

    A model takes its systems with it. If the reference of skill is left out there is none.
    Raises StormdrawError if a name is not one of the run's, or if no system is left.
    """
    left_out = settings.left_out
    if not isinstance(left_out, LeftOut) or not left_out:
        return settings
    systems = settings.ensembles.systems
    _known("models", left_out.models, settings.models)
    _known("systems", left_out.systems, [system.name for system in systems])
    follow = {
        system.name: f"it draws from the model {system.model}"
        for system in systems
        if isinstance(system, ModelSystem) and system.model in left_out.models
    }
    gone = {**follow, **left_out.systems}
    kept = [system for system in systems if system.name not in gone]
    if not kept:
        reasons = "; ".join({**left_out.models, **left_out.systems}.values())
        raise StormdrawError(f"left_out: no system is left to score: {reasons}")
    scores, report = settings.scores, settings.report
    if scores.reference in gone:
        scores = scores.model_copy(update={"reference": None})
    if report.products_of in gone:
        report = report.model_copy(update={"products_of": None})
    return settings.model_copy(
        update={
            "models": [name for name in settings.models if name not in left_out.models],
            "ensembles": settings.ensembles.model_copy(update={"systems": kept}),
            "scores": scores,
            "report": report,
            "left_out": left_out.model_copy(update={"systems": gone}),
        }
    )


def _known(key: str, given: dict[str, str], names: list[str]) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise StormdrawError(
            f"left_out.{key}: {', '.join(unknown)} is not one of the run's {key} "
            f"({', '.join(names) or 'none'})"
        )
