"""Day files of driving forecasts whose values say which forecast they are of."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from stormdraw.archive.driving_schedule import DrivenHour, DrivingForecast, Schedule
from stormdraw.fields.driving import forecast_coordinates
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.grids import Grid
from stormdraw.times import hours

_START = datetime(2026, 5, 1)


def value_of(forecast: DrivingForecast, place: int = 0) -> float:
    """A number of its own for each cycle, lead, member and place of the variable."""
    age = (forecast.cycle - _START) / hours(1)
    return 200.0 + age / 8 + forecast.lead / 64 + 10 * place + 100 * forecast.member


def forecasts_for(schedule: Schedule, driven: Iterable[DrivenHour]) -> list[DrivingForecast]:
    """The forecasts of the archive that drive some hours."""
    return sorted({one for hour in driven for one, _ in schedule.weights(hour.forecast)})


def write_driving_files(
    folder: Path,
    grid: Grid,
    names: Sequence[str],
    forecasts: Sequence[DrivingForecast],
    changed: Callable[[DrivingForecast], float] = lambda one: 0.0,
    **attributes: str,
) -> list[Path]:
    """Day files as the rule makes them; `changed` is added to a forecast's fields."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for day in sorted({one.cycle.date() for one in forecasts}):
        own = [one for one in forecasts if one.cycle.date() == day]
        path = folder / f"{day:%Y%m%d}.nc"
        same = {name: name for name in names}
        with written_in_parts(path, grid, forecast_coordinates(own), same, attributes) as file:
            for index, one in enumerate(own):
                for place, name in enumerate(names):
                    value = value_of(one, place) + changed(one)
                    file[name][index] = np.full(grid.shape, value, np.float32)
        paths.append(path)
    return paths
