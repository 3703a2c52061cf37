"""The driving model's forecasts for the target grid: `results/fields/driving/{date}.nc`.

They are kept on the driving model's own grid where that has fewer points (`own_grid`).
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.archive.base_model import no_echo
from stormdraw.archive.driving_model import DrivingModel
from stormdraw.archive.driving_schedule import DrivenHour, DrivingForecast, Schedule
from stormdraw.errors import StormdrawError
from stormdraw.fields.day_files import TARGET, driving_file
from stormdraw.fields.decoding import Messages
from stormdraw.fields.own_grid import kept_grid, placement
from stormdraw.fields.target import Checks, Target
from stormdraw.fields.writing import Content, Destination, Piece, read_together, write_fields
from stormdraw.grids import WHOLE_GRID, Window
from stormdraw.variables import variable


def write_driving(
    manifest_path: Path,
    model: DrivingModel,
    forecasts: Sequence[DrivingForecast],
    names: Sequence[str],
    target: Target,
    destination: Destination,
) -> None:
    """Write a day's forecasts, each variable (forecast, y, x), winds along the axes of the file's
    grid, which is that of `kept_grid`.

    The coordinates `cycle`, `lead` (h) and `member` (0 of a single forecast) are (forecast,): a day
    of cycles has not every member and lead. Forecasts of which the archive has nothing are left out
    and listed in the attribute `absent_forecasts`; those with a missing point in
    `incomplete_times`.
    """
    messages = Messages(manifest_path)
    listed = {
        one: messages.file(one.cycle, one.lead, model.member_name(one.member)) for one in forecasts
    }
    present = [one for one in forecasts if listed[one].any_of(names)]
    absent = [one for one in forecasts if one not in present]
    suspicious = destination.fields.suspicious
    source = messages.first_grid([listed[one] for one in present])
    kept = target.grid if source is None else kept_grid(source, target)
    own = kept != target.grid
    pieces = [
        Piece(
            (index,),
            group,
            Checks(one.valid, suspicious, str(one), no_echo=no_echo(model.model)),
            messages.reading(listed[one], group),
            called=str(one),
        )
        for index, one in enumerate(present)
        for group in read_together(names)
    ]
    content = Content(
        f"Forecasts of the driving model on {'its own' if own else 'the target'} grid",
        f"{model.model.upper()} {model.product} cycles of {manifest_path.parent.name}",
        {name: name for name in names},
        forecast_coordinates(present) | (target_coordinates(target) if own else {}),
        {"absent_forecasts": " ".join(map(str, absent))},
    )
    write_fields(content, pieces, Target(kept) if own else target, destination)


def target_coordinates(target: Target) -> dict[str, xr.DataArray]:
    """What a file on its own grid says of the grid that it is for: its map, x and y, and blocks."""
    grid, name = target.grid, TARGET
    return {
        name: xr.DataArray(
            np.int32(target.factor),
            attrs={
                "long_name": "points per side of the blocks that the target grid is means of",
                "proj4": grid.crs,
            },
        ),
        f"{name}_x": xr.DataArray(np.array(grid.x), dims=f"{name}_column"),
        f"{name}_y": xr.DataArray(np.array(grid.y), dims=f"{name}_row"),
    }


def forecast_coordinates(forecasts: Sequence[DrivingForecast]) -> dict[str, xr.DataArray]:
    """The dimension `forecast`, and the cycle, lead (h) and member of each."""
    cycles = pd.DatetimeIndex([one.cycle for one in forecasts]).values.astype("datetime64[ns]")
    return {
        "forecast": xr.DataArray(np.arange(len(forecasts), dtype=np.int32), dims="forecast"),
        "cycle": xr.DataArray(
            cycles, dims="forecast", attrs={"standard_name": "forecast_reference_time"}
        ),
        "lead": xr.DataArray(
            np.array([one.lead for one in forecasts], dtype=np.int32),
            dims="forecast",
            attrs={"standard_name": "forecast_period", "units": "h"},
        ),
        "member": xr.DataArray(
            np.array([one.member for one in forecasts], dtype=np.int32),
            dims="forecast",
            attrs={"standard_name": "realization"},
        ),
    }


class DrivingReader:
    """Reads what drives an hour, and nothing that was not published when its forecast started.

    `paths` are files that `write_driving` wrote, `names` their variables in the wanted order.
    `grid` is the target grid. Several threads may read at once. Raises StormdrawError if the files
    are not on one grid, or for different ones.
    """

    def __init__(
        self, paths: Sequence[str | Path], names: Sequence[str], schedule: Schedule
    ) -> None:
        self.names = tuple(names)
        self.schedule = schedule
        self._where: dict[DrivingForecast, tuple[Path, int]] = {}
        self._incomplete: set[str] = set()
        self._absent: set[str] = set()
        self._held: dict[DrivingForecast, np.ndarray] = {}
        self._floored = np.array([variable(name).floor is not None for name in self.names])
        # A file without forecasts has no grid of its own to tell.
        files = {Path(path): driving_file(path) for path in paths}
        first = next((path for path, file in files.items() if file.forecasts), Path(paths[0]))
        self._own, self.grid = files[first].grid, files[first].target
        for path, file in files.items():
            same = file.grid.matches(self._own) and file.target.matches(self.grid)
            if file.forecasts and not same:
                raise StormdrawError(
                    f"{path}: its grid is not that of {first}; delete both to make them again"
                )
            self._incomplete |= file.incomplete
            self._absent |= file.absent
            for index, one in enumerate(file.forecasts):
                self._where[one] = (path, index)
        self._placement = None
        if self._own != self.grid:
            target = Target(self.grid, files[first].factor)
            self._placement = placement(self._own, target, self.names)

    def complete(self, hour: DrivenHour) -> bool:
        """Whether all that drives an hour is there, without a missing point."""
        return all(
            one in self._where and str(one) not in self._incomplete
            for one, _ in self.schedule.weights(hour.forecast)
        )

    def gap(self, hour: DrivenHour) -> str:
        """Why an hour is not complete, as the files say; empty if it is, or if no file says why."""
        for one, _ in self.schedule.weights(hour.forecast):
            if str(one) in self._absent:
                return f"the archive has no driving forecast {one}"
            if str(one) in self._incomplete:
                return f"the driving forecast {one} has missing points"
        return ""

    def hold(self, driven: Iterable[DrivenHour], bytes_in_memory: float) -> int:
        """Keep in memory what drives these hours, if it fits; return the bytes that it takes.

        What is not complete is left out. Otherwise fields are read whenever they are needed.
        """
        wanted = {
            one
            for hour in driven
            if self.complete(hour)
            for one, _ in self.schedule.weights(hour.forecast)
        }
        size = 4 * len(wanted) * len(self.names) * math.prod(self._own.shape)
        if not 0 < size <= bytes_in_memory:
            return 0
        self._held = {one: self._fields(one, None, WHOLE_GRID) for one in sorted(wanted)}
        return size

    def read(
        self, hour: DrivenHour, out: np.ndarray | None = None, window: Window = WHOLE_GRID
    ) -> np.ndarray:
        """The fields that drive an hour, or a part of them, float32 (variable, y, x).

        `out`, C-contiguous, is filled if given. Between two leads of the archive fields are linear
        in time; one with a floor, which must not be averaged, is that of the nearer lead, the
        earlier of two as near. Raises StormdrawError if the driving cycle had not been published at
        the hour's initial time, if it is of another hour, and if it is in none of the files.
        """
        self.schedule.require_published(hour)
        if self._placement is None:
            return self._linear_in_time(hour.forecast, out, window)
        fields = self._linear_in_time(hour.forecast, None, WHOLE_GRID)
        return self._placement.place(fields, window, out)

    def _linear_in_time(
        self, forecast: DrivingForecast, out: np.ndarray | None, window: Window
    ) -> np.ndarray:
        """A forecast between two leads of the archive, on a part of the files' grid."""
        parts = self.schedule.weights(forecast)
        first = self._fields(parts[0][0], out, window)
        if len(parts) == 1:
            return first
        second, share = self._fields(parts[1][0], None, window), parts[1][1]
        shares = np.where(self._floored, float(share > 0.5), share).astype(np.float32)
        for field, later, weight in zip(first, second, shares, strict=True):
            if weight:
                field += weight * (later - field)
        return first

    def _fields(
        self, forecast: DrivingForecast, out: np.ndarray | None, window: Window
    ) -> np.ndarray:
        if forecast not in self._where:
            raise StormdrawError(
                f"no driving forecast {forecast} in results/fields/driving; check the archive's "
                "manifest of that cycle"
            )
        held = self._held.get(forecast)
        if held is not None:
            part = held[:, window[0], window[1]]
            if out is None:
                return part.copy()
            out[:] = part
            return out
        path, index = self._where[forecast]
        return driving_file(path).read(self.names, index, out, window)
