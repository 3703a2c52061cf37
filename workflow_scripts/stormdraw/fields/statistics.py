"""Mean and standard deviation of each variable over the training times."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import absent_times, read_states
from stormdraw.fields.transforms import forward
from stormdraw.files import replacing
from stormdraw.provenance import attributes
from stormdraw.variables import variable

# A variable that never changes (CAPE on a winter day) is divided by 1, so that it stays 0.
_STD_OF_A_CONSTANT = 1.0


@dataclass(frozen=True)
class Standardisation:
    """Means and standard deviations of the *transformed* variables, each (variable,).

    No standard deviation is 0.
    """

    variables: tuple[str, ...]
    transforms: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def arrays(cls) -> list[str]:
        """The names of the arrays, here and in files."""
        return [field.name for field in fields(cls)[2:]]

    def write(self, path: Path, title: str, rule: str, settings: Mapping[str, Any]) -> None:
        """Write a file with the arrays by variable."""
        dataset = xr.Dataset(
            {name: ("variable", getattr(self, name)) for name in self.arrays()},
            coords={
                "variable": list(self.variables),
                "transform": ("variable", list(self.transforms)),
            },
            attrs=attributes(title, f"stormdraw {rule}", settings),
        )
        with replacing(path) as temporary:
            dataset.to_netcdf(temporary, engine="netcdf4")

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read what `write` wrote."""
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            return cls(
                variables=tuple(str(name) for name in dataset["variable"].values),
                transforms=tuple(str(name) for name in dataset["transform"].values),
                **{name: dataset[name].values for name in cls.arrays()},
            )


@dataclass(frozen=True)
class Statistics(Standardisation):
    """Those of the states; `tendency_*` describe the change over one hour."""

    tendency_mean: np.ndarray
    tendency_std: np.ndarray

    def of(self, names: Sequence[str]) -> "Statistics":
        """Those of some of the variables, in this order."""
        places = [self.variables.index(name) for name in names]
        return Statistics(
            tuple(names),
            tuple(self.transforms[place] for place in places),
            *(getattr(self, each)[places] for each in self.arrays()),
        )


class Moments:
    """Mean and variance of a stream of fields, merged as in Chan et al. (1983).

    Summing squares would lose the variance of temperature in its mean of 290 K.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.squares = 0.0

    def add(self, values: np.ndarray) -> None:
        values = values[np.isfinite(values)].astype(np.float64)
        if values.size == 0:
            return
        mean = float(values.mean())
        squares = float(((values - mean) ** 2).sum())
        total = self.count + values.size
        difference = mean - self.mean
        self.squares += squares + difference**2 * self.count * values.size / total
        self.mean += difference * values.size / total
        self.count = total

    @property
    def std(self) -> float:
        """Population standard deviation, or 1 where it is 0."""
        std = (self.squares / self.count) ** 0.5 if self.count else 0.0
        # Relative to the mean, so that rounding noise about a constant does not count as a signal.
        return std if std > 1e-6 * max(abs(self.mean), 1.0) else _STD_OF_A_CONSTANT


def compute_statistics(
    paths: Sequence[Path], names: Sequence[str], times: Iterable[datetime]
) -> Statistics:
    """Statistics of the states at `times`, found in the day files `paths`.

    Missing points (NaN) and hours that the archive lacks do not count. Raises StormdrawError if a
    time is in none of the files or a variable has no valid point at all.
    """
    values = {name: Moments() for name in names}
    tendencies = {name: Moments() for name in names}
    previous: tuple[datetime, np.ndarray] | None = None
    for time, state in read_states(paths, names, sorted(set(times) - absent_times(paths))):
        for index, name in enumerate(names):
            now = forward(state[index].astype(np.float64), variable(name).transform)
            values[name].add(now)
            if previous is not None and (time - previous[0]).total_seconds() == 3600:
                before = forward(previous[1][index].astype(np.float64), variable(name).transform)
                tendencies[name].add(now - before)
        previous = (time, state)
    empty = [name for name in names if values[name].count == 0]
    if empty:
        raise StormdrawError(
            f"{', '.join(empty)}: no valid point at any training time; "
            "check the fields, or leave the variable out of `variables`"
        )
    return Statistics(
        variables=tuple(names),
        transforms=tuple(variable(name).transform for name in names),
        mean=_array(values[name].mean for name in names),
        std=_array(values[name].std for name in names),
        tendency_mean=_array(tendencies[name].mean for name in names),
        tendency_std=_array(tendencies[name].std for name in names),
    )


def _array(numbers: Iterable[float]) -> np.ndarray:
    return np.array(list(numbers), dtype=np.float32)


def write_statistics(statistics: Statistics, path: Path, settings: Mapping[str, Any]) -> None:
    """Write `results/fields/statistics.nc`."""
    title = "Statistics of the transformed state variables over the training times"
    statistics.write(path, title, "fields_statistics", settings)


def read_statistics(path: str | Path) -> Statistics:
    """Read statistics written by `write_statistics`."""
    return Statistics.read(path)
