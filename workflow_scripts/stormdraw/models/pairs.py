"""States one hour apart, as a model learns from them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import locate_times, read_state
from stormdraw.models.forcings import Forcings
from stormdraw.times import hours

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """Pairs of physical states with their forcings.

    `now` and `following` are (B, V, Y, X), `forcings` (B, F, Y, X); `times` are the valid times of
    `following`.
    """

    now: torch.Tensor
    following: torch.Tensor
    forcings: torch.Tensor
    times: tuple[datetime, ...]

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        return Batch(
            self.now.to(device, non_blocking=True),
            self.following.to(device, non_blocking=True),
            self.forcings.to(device, non_blocking=True),
            self.times,
        )


class Pairs:
    """All pairs (t, t + 1 h) among given valid times; a pair with a missing hour is left out.

    States are kept in memory as float32 if all of them take at most `bytes_in_memory`, and are read
    from the day files each time they are needed if not.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        variables: Sequence[str],
        times: Sequence[datetime],
        forcings: Forcings,
        bytes_in_memory: float,
    ) -> None:
        self.variables = tuple(variables)
        self.forcings = forcings
        located = locate_times(paths)
        self._where = {time: located[time] for time in sorted(times) if time in located}
        self.times = [time for time in self._where if time + hours(1) in self._where]
        if not self.times:
            raise StormdrawError(
                f"no two of the {len(times)} hours asked for are one hour apart in the fields "
                f"({len(self._where)} of them are there at all); "
                "check the period and the archive's manifests"
            )
        absent = len(times) - len(self._where)
        if absent:
            logger.warning("%d of %d hours are not in the fields", absent, len(times))
        size = 4 * len(self._where) * len(self.variables) * forcings.latitude.size
        self._opened: tuple[Path, xr.Dataset] | None = None
        self._states: dict[datetime, np.ndarray] | None = None
        self.bytes = size if size <= bytes_in_memory else 0
        if self.bytes:
            self._states = {time: self._read(time) for time in self._where}
            self.close()

    def __len__(self) -> int:
        return len(self.times)

    def batch(self, indices: Sequence[int]) -> Batch:
        """The pairs with these indices.

        Raises StormdrawError, naming file, variable and time, if a field has NaN.
        """
        times = [self.times[index] for index in indices]
        following = [time + hours(1) for time in times]
        return Batch(
            self._stack(times),
            self._stack(following),
            torch.from_numpy(np.stack([self.forcings.at(time) for time in following])),
            tuple(following),
        )

    def close(self) -> None:
        """Close the day file that is open, if any."""
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def _stack(self, times: Sequence[datetime]) -> torch.Tensor:
        return torch.from_numpy(np.stack([self._state(time) for time in times]))

    def _state(self, time: datetime) -> np.ndarray:
        return self._read(time) if self._states is None else self._states[time]

    def _read(self, time: datetime) -> np.ndarray:
        path, index = self._where[time]
        if self._opened is None or self._opened[0] != path:
            self.close()
            self._opened = (path, xr.open_dataset(path, engine="netcdf4"))
        state = read_state(self._opened[1], self.variables, index, path)
        check_finite(state, self.variables, path, time)
        return state


def check_finite(
    state: np.ndarray, variables: Sequence[str], path: str | Path, time: datetime
) -> None:
    """Raise StormdrawError if a state (variable, y, x) has a point that is not a number."""
    for name, field in zip(variables, state, strict=True):
        wrong = int(np.count_nonzero(~np.isfinite(field)))
        if wrong:
            raise StormdrawError(
                f"{path}: {name} at {time:%Y-%m-%d %H} UTC has {wrong} missing points, which no "
                "model can learn from or start at; set fields.suspicious to keep if they were "
                "masked, or leave that hour out of the periods"
            )
