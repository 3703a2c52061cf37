"""The section `ensembles` of a configuration: the systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from stormdraw.ensembles.export import NO_EXPORT, export_names
from stormdraw.ensembles.registry import any_system
from stormdraw.ensembles.system import AnySystem, Members
from stormdraw.section import Section

if TYPE_CHECKING:
    System = AnySystem
    Export = str
else:
    System = any_system()
    Export = Literal[NO_EXPORT, *export_names()]


# A multiple of the amplitude of the noise; a network was trained with 1 and fails far from it.
Multiple = Annotated[float, Field(ge=0.25, le=4)]


class Ensembles(Section):
    """The systems that are compared.

    `jobs_per_case` jobs share the members of a case. `keep` says whether ensembles are kept after
    use; by default small ones are (`stormdraw.costs.disk`). `export` is the format that they are
    kept in for other programs (`stormdraw.ensembles.export`). In `systems` a calibrated system is
    followed by its uncalibrated twin.
    """

    members: Members = 50
    batch_gigabytes: Annotated[float, Field(gt=0)] = 2.0
    jobs_per_case: Annotated[int, Field(ge=1, le=1000)] = 1
    keep: bool | None = None
    export: Export = NO_EXPORT
    calibration_cases: Annotated[int, Field(ge=1, le=100)] = 4
    calibration_members: Members = 10
    calibration_amplitudes: Annotated[list[Multiple], Field(min_length=1)] = [
        *(0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
    ]
    systems: list[System]

    @field_validator("calibration_amplitudes")
    @classmethod
    def _uncalibrated_is_tried(cls, amplitudes: list[float]) -> list[float]:
        return sorted({*amplitudes, 1.0})

    @field_validator("systems")
    @classmethod
    def _with_twins(cls, systems: list[AnySystem]) -> list[AnySystem]:
        names = [system.name for system in systems]
        for system in systems:
            for twin in system.twins():
                if twin.name in names:
                    raise ValueError(
                        f"{system.name} is calibrated, and its uncalibrated twin is called "
                        f"{twin.name}; rename the other system of that name"
                    )
        return [one for system in systems for one in (system, *system.twins())]

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

    def given(self) -> list[AnySystem]:
        """The systems that the configuration lists, without the twins that they bring along."""
        twins = {twin.name for system in self.systems for twin in system.twins()}
        return [system for system in self.systems if system.name not in twins]

    def given_in_role(self, *roles: str) -> list[AnySystem]:
        """Those of `given` with any of these roles."""
        return [system for system in self.given() if system.role_among(self) in roles]

    def in_role(self, *roles: str) -> list[AnySystem]:
        """The systems with any of these roles."""
        return [system for system in self.systems if system.role_among(self) in roles]
