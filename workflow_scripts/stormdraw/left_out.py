"""What a run does without: systems and models that are left out, each with why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from stormdraw.ensembles.settings import DefSystem, System, models_of
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
    _known("models", left_out.models, settings.model_names)
    _known("systems", left_out.systems, [system.name for system in systems])
    models = _with_followers(left_out.models, settings)
    follow = {
        system.name: f"it draws from the model {name}"
        for system in systems
        for name in models
        if name in models_needed(system, settings)
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
            "models": [
                entry for name, entry in settings.models_by_name().items() if name not in models
            ],
            "ensembles": settings.ensembles.model_copy(update={"systems": kept}),
            "scores": scores,
            "report": report,
            "left_out": left_out.model_copy(update={"systems": gone, "models": models}),
        }
    )


def models_needed(system: System, settings: Settings) -> set[str]:
    """The models that a system's members are drawn from, and the forecasters of these."""
    named = set(models_of(system))
    if isinstance(system, DefSystem) and system.forecaster is not None:
        named.add(system.forecaster)
    crossed = {
        name: entry.forecaster
        for name, entry in settings.models_by_name().items()
        if not isinstance(entry, str)
    }
    return named | {crossed[name] for name in named if name in crossed}


def _with_followers(models: dict[str, str], settings: Settings) -> dict[str, str]:
    """These models, and those that were to perturb the states of one of them."""
    followers = {
        name: f"its forecaster {entry.forecaster} is left out"
        for name, entry in settings.models_by_name().items()
        if not isinstance(entry, str) and entry.forecaster in models
    }
    return {**followers, **models}


def _known(key: str, given: dict[str, str], names: list[str]) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise StormdrawError(
            f"left_out.{key}: {', '.join(unknown)} is not one of the run's {key} "
            f"({', '.join(names) or 'none'})"
        )
