"""The section `ensembles` of a configuration: the systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from stormdraw.ensembles.registry import any_system
from stormdraw.ensembles.system import AnySystem, Members
from stormdraw.section import Section

if TYPE_CHECKING:
    System = AnySystem
else:
    System = any_system()


class Ensembles(Section):
    """The systems that are compared.

    `jobs_per_case` jobs share the members of a case. `keep` says whether ensembles are kept after
    use; by default small ones are (`stormdraw.costs.disk`).
    """

    members: Members = 50
    batch_gigabytes: Annotated[float, Field(gt=0)] = 2.0
    jobs_per_case: Annotated[int, Field(ge=1, le=1000)] = 1
    keep: bool | None = None
    calibration_cases: Annotated[int, Field(ge=1, le=100)] = 4
    systems: list[System]

    @model_validator(mode="after")
    def _names_differ(self) -> Ensembles:
        names = [system.name for system in self.systems]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"system names must differ, but {', '.join(twice)} occurs twice")
        if not names:
            raise ValueError("give at least one system")
        return self

    def system(self, name: str) -> AnySystem:
        """The system called `name`."""
        return next(system for system in self.systems if system.name == name)

    def in_role(self, *roles: str) -> list[AnySystem]:
        """The systems with any of these roles."""
        return [system for system in self.systems if system.role_among(self) in roles]
