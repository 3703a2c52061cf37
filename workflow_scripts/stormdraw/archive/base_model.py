"""The base model of a run: the regional model whose analyses are its states.

A base model is a file in `base_models/`, named as in `archive.model`, with a `MODEL`, a class of
this module. Nothing else knows what sets one base model apart from another. Reading a configuration
imports all of these files.
"""

import functools
import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.membership import Member
from stormdraw.times import hours
from stormdraw.variable_row import Product
from stormdraw.variables import variable

_FOLDER = "stormdraw.archive.base_models"

# The first run of a model that has always been there, as far as anybody asks.
ALWAYS = datetime.min

# What messages say of a generating process that is not known.
UNKNOWN_PROCESS = 255

# Runs that start at these hours are longer than others.
_MAIN_HOURS = 6

# The parts of the world that reference ensembles and other truths cover.
Region = Literal["conus", "alaska"]


@dataclass(frozen=True)
class Version:
    """A version of a model: its first run, and the lengths of runs in hours.

    `main` is that of runs from 00, 06, 12 and 18 UTC, `other` that of the runs between.
    """

    start: datetime
    main: int
    other: int


class BaseModel(ABC):
    """What is said of every base model; a model's file sets what differs.

    `versions` are the newest first. `first_runs` are the first runs in the public archives, by
    Herbie's names of sources. `products` and `options` are Herbie's. `days` and `files` are
    patterns of names in a folder laid out like the public bucket. `reflectivity_floor` is what the
    model writes where there is no echo, in dBZ. `grib_process` is what its messages say generated
    them (NCEP's ON388, table A). `message_bytes` are measured sizes of messages on its grid, which
    are empty if nobody has measured any.
    """

    title: ClassVar[str]
    region: ClassVar[Region] = "conus"
    products: ClassVar[Mapping[str, str]]
    options: ClassVar[tuple[tuple[str, str | int], ...]] = ()
    cycle_hours: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]]
    first_runs: ClassVar[Mapping[str, datetime]]
    days: ClassVar[str]
    files: ClassVar[str]
    reflectivity_floor: ClassVar[float]
    grib_process: ClassVar[int] = UNKNOWN_PROCESS
    message_bytes: ClassVar[Mapping[str, int]] = {}

    @property
    @abstractmethod
    def grid(self) -> Grid:
        """The grid of its files."""

    @abstractmethod
    def path(self, start: datetime, lead: int, held: Product = "sfc") -> PurePosixPath:
        """The file of a run in the public bucket, below its top, of the product that is `held`."""

    @property
    def name(self) -> str:
        """Its name in a configuration, in paths, and in Herbie."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def forecast_source(self) -> str:
        """The source of its own forecasts of the cases."""
        return f"{self.name}_forecast"

    @property
    def lagged_source(self) -> str:
        """The source of its runs of the cases and of some hours before them."""
        return f"{self.name}_lagged"

    @property
    def hour_ahead(self) -> str:
        """The name of the truth that is its one-hour forecasts."""
        return f"{self.name}_f01"

    @property
    def points(self) -> int:
        """Points of its grid."""
        return self.grid.shape[0] * self.grid.shape[1]

    @property
    def first_run(self) -> datetime:
        """The first run there ever was, in any archive."""
        return self.versions[-1].start

    def has_cycle(self, start: datetime) -> bool:
        """Whether a run starts at that hour."""
        return start >= self.first_run and start.hour % self.cycle_hours == 0

    def longest_lead(self, start: datetime) -> int:
        """The length in hours of the run that starts then; -1 if there is none."""
        if not self.has_cycle(start):
            return -1
        version = next(version for version in self.versions if start >= version.start)
        return version.other if start.hour % _MAIN_HOURS else version.main

    def state_run(self, valid: datetime, least_lead: int) -> tuple[datetime, int]:
        """The start and lead of the file that is the state at a time.

        It is of the newest run that is `least_lead` hours old or older.
        """
        start = valid - hours(least_lead)
        start -= hours(start.hour % self.cycle_hours)
        return start, int((valid - start) / hours(1))

    def product(self, held: Product) -> str:
        """Herbie's name of the product that holds some fields.

        Raises StormdrawError if the model has none.
        """
        try:
            return self.products[held]
        except KeyError:
            raise StormdrawError(
                f"{self.title} has no product {held}, only {', '.join(self.products)}"
            ) from None

    def held(self, name: str) -> Product:
        """The kind of product that holds a variable: that of its row, unless the model differs."""
        return variable(name).product

    def by_product(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The variables by Herbie's name of the product that holds them."""
        held: dict[str, tuple[str, ...]] = {}
        for name in names:
            product = self.product(self.held(name))
            held[product] = (*held.get(product, ()), name)
        return held

    def run(self, case: datetime, age: int = 0) -> Member:
        """Its run that started `age` hours before a case, as an ensemble of one."""
        longest = self.longest_lead(case - hours(age))
        (name,) = self.names([age])
        return Member(name, self.name, self.product("sfc"), age, longest, self.options)

    def runs(self, case: datetime, ages: Sequence[int]) -> list[Member]:
        """Its runs that started these hours before a case, the newest first."""
        return [self.run(case, age) for age in sorted(ages)]

    def names(self, ages: Sequence[int]) -> list[str]:
        """The names of its runs as members, the newest first."""
        return [f"{self.name}_{age:02d}h" for age in sorted(ages)]

    def lengths(self) -> str:
        """The lengths of its runs in words: `HRRR runs 48 h from ...`."""
        told = [self._lengths_of(self.versions[0], self._hours_told())]
        told += [
            f"before {newer.start:%Y-%m-%d} {self._lengths_of(older, ('', ''))}"
            for newer, older in zip(self.versions, self.versions[1:], strict=False)
        ]
        if self.first_run != ALWAYS:
            told.append(f"it has no run before {self.first_run:%Y-%m-%d %H} UTC")
        return f"{self.title} runs {'; '.join(told)}"

    def _lengths_of(self, version: Version, at: tuple[str, str]) -> str:
        if version.main == version.other:
            return f"{version.main} h from every hour"
        return f"{version.main} h{at[0]} and {version.other} h{at[1]}"

    def _hours_told(self) -> tuple[str, str]:
        if self.cycle_hours == 1:
            return " from 00, 06, 12 and 18 UTC", " from other hours"
        between = [f"{hour:02d}" for hour in range(0, 24, self.cycle_hours) if hour % _MAIN_HOURS]
        return (
            " from 00, 06, 12 and 18 UTC",
            f" from {', '.join(between[:-1])} and {between[-1]} UTC, and from no other hour",
        )


def usual_base_model() -> str:
    """The name of the base model of a run that names none, as the folder of base models says."""
    name: str = importlib.import_module(_FOLDER).USUAL
    return name


@functools.cache
def base_model_names() -> tuple[str, ...]:
    """The names of all base models."""
    return tuple(
        sorted(
            module.name
            for module in pkgutil.iter_modules([str(Path(__file__).with_name("base_models"))])
        )
    )


@functools.cache
def base_model(name: str) -> BaseModel:
    """The base model of that name."""
    model: BaseModel = importlib.import_module(f"{_FOLDER}.{name}").MODEL()
    return model


def base_models() -> list[BaseModel]:
    """All base models, in the order of their names."""
    return [base_model(name) for name in base_model_names()]


def no_echo(model: str) -> float | None:
    """What a model, by Herbie's name, writes where there is no echo, in dBZ; None if unknown."""
    return base_model(model).reflectivity_floor if model in base_model_names() else None


def module_of_base_model(name: str) -> str:
    """The module of a base model, which no import statement names."""
    return f"{_FOLDER}.{name}"
