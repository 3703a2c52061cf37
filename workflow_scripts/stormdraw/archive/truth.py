"""What forecasts are compared with, by variable.

A truth is a file in `truths/` with a `TRUTH`, a class of this module. Nothing else knows what sets
one truth apart from another. Its name in `archive.truth` is that of the file, unless the class says
otherwise.
"""

import functools
import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from stormdraw.archive import truths
from stormdraw.archive.base_model import BaseModel, Region
from stormdraw.archive.request import FileRequest

if TYPE_CHECKING:
    from stormdraw.archive.settings import Archive
    from stormdraw.external.settings import ExternalFiles

_FOLDER = "stormdraw.archive.truths"


@dataclass(frozen=True)
class Codes:
    """The values of a radar mosaic that are no reflectivity."""

    no_coverage: float
    no_echo: float


class Truth(ABC):
    """What is said of every truth; a truth's file sets what differs.

    `variables` are those that it has, all of them if empty. `region` is the part of the world that
    it covers, None for that of the base model. `first_runs` are its first hours in the public
    archives, by Herbie's names of sources; empty if the base model's count. `simulated` says
    whether the simulated archive has it. `is_analysis` says whether it is the states that models
    learn from, `on_model_grid` whether its messages are on the grid of the base model. `codes` is
    set for a radar mosaic, `own_files` for what is external.
    """

    variables: tuple[str, ...] = ()
    region: ClassVar[Region | None] = None
    first_runs: ClassVar[Mapping[str, datetime]] = {}
    simulated: ClassVar[bool] = False
    is_analysis: ClassVar[bool] = False
    on_model_grid: ClassVar[bool] = False
    codes: ClassVar[Codes | None] = None
    own_files: "ExternalFiles | None" = None

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def external(self) -> bool:
        """Whether it is in files of the user's own."""
        return self.own_files is not None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Its names in a configuration."""
        return (cls.__module__.rpartition(".")[2],)

    def as_given(self) -> Any:
        """What its values depend on: its name, as the configuration gives it."""
        return self.name

    def has(self, name: str) -> bool:
        """Whether it has a variable."""
        return not self.variables or name in self.variables

    def fits(self, base: BaseModel) -> bool:
        """Whether it can be the truth of forecasts on a base model's grid."""
        return self.region in (None, base.region)

    @abstractmethod
    def title(self, archive: "Archive", name: str) -> str:
        """What the truth of a variable is called."""

    @abstractmethod
    def favours(self, archive: "Archive") -> str:
        """Which systems it favours, as the end of a sentence that begins with its title."""

    @abstractmethod
    def files(self, archive: "Archive", names: Sequence[str], valid: datetime) -> list[FileRequest]:
        """The files that hold some variables at a valid time; none if it is the analyses."""

    def no_echo(self, base: BaseModel) -> float | None:
        """The reflectivity in dBZ where there is no echo, if its model writes one."""
        return None


@functools.cache
def _classes() -> dict[str, type[Truth]]:
    """The class of each name."""
    modules = (
        importlib.import_module(f"{_FOLDER}.{module.name}")
        for module in pkgutil.iter_modules(truths.__path__)
    )
    return {name: module.TRUTH for module in modules for name in module.TRUTH.names()}


def truth_names() -> tuple[str, ...]:
    """The names of all truths with any base model."""
    return tuple(sorted(_classes()))


@functools.cache
def truth(name: str) -> Truth:
    """The truth of that name, which must be one of `truth_names`."""
    return _classes()[name](name)


def module_of_truth(name: str) -> str:
    """The module of a truth, which no import statement names."""
    return type(truth(name)).__module__
