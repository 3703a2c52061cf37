"""Mean and standard deviation of each driving variable, of the ages that forecasting has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from stormdraw.errors import StormdrawError
from stormdraw.fields.driving import DrivingReader
from stormdraw.fields.statistics import Moments, Standardisation
from stormdraw.fields.transforms import forward
from stormdraw.variables import variable


@dataclass(frozen=True)
class DrivingStatistics(Standardisation):
    """Those of the driving variables, which a checkpoint holds too."""

    def to_dict(self) -> dict[str, list[Any]]:
        """The content for a checkpoint: only strings, numbers and lists."""
        return {
            "variables": list(self.variables),
            "transforms": list(self.transforms),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
        }

    @staticmethod
    def from_dict(content: Mapping[str, list[Any]]) -> "DrivingStatistics":
        """The inverse of `to_dict`."""
        return DrivingStatistics(
            tuple(content["variables"]),
            tuple(content["transforms"]),
            *(np.array(content[key], dtype=np.float32) for key in ("mean", "std")),
        )


def compute_driving_statistics(
    reader: DrivingReader, times: Iterable[datetime]
) -> DrivingStatistics:
    """Statistics over the learnt hours `times`, each at one age, drawn as training draws it.

    Missing points do not count, nor do hours of which nothing is there. Raises StormdrawError if a
    variable has no value at all.
    """
    moments = {name: Moments() for name in reader.names}
    for time in times:
        hour = reader.schedule.draw(time, "statistics")
        if not reader.complete(hour):
            continue
        for name, field in zip(reader.names, reader.read(hour), strict=True):
            moments[name].add(forward(field.astype(np.float64), variable(name).transform))
    empty = [name for name, found in moments.items() if found.count == 0]
    if empty:
        raise StormdrawError(
            f"{', '.join(empty)}: no driving forecast of any training hour is complete; check "
            "results/fields/quality/driving and the archive's manifests"
        )
    return DrivingStatistics(
        variables=reader.names,
        transforms=tuple(variable(name).transform for name in reader.names),
        mean=np.array([found.mean for found in moments.values()], dtype=np.float32),
        std=np.array([found.std for found in moments.values()], dtype=np.float32),
    )


def write_driving_statistics(
    statistics: DrivingStatistics, path: Path, settings: Mapping[str, Any]
) -> None:
    """Write `results/fields/driving_statistics.nc`."""
    title = "Statistics of the transformed driving variables over the training times"
    statistics.write(path, title, "fields_driving_statistics", settings)


def read_driving_statistics(path: str | Path) -> DrivingStatistics:
    """Read statistics written by `write_driving_statistics`."""
    return DrivingStatistics.read(path)
