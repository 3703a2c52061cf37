"""States one hour apart, as training samples."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import StateReader
from stormdraw.grids import WHOLE_GRID, Window
from stormdraw.models.forcings import Forcings
from stormdraw.models.ranks import Share
from stormdraw.times import hours

logger = logging.getLogger(__name__)

# A part of the state (variable, y, x), float32: its valid time, its window, and where to write it.
_Wanted = tuple[datetime, Window, np.ndarray]


@dataclass(frozen=True)
class Batch:
    """Pairs of physical states with their forcings.

    `now` and `following` are (B, V, Y, X), `forcings` (B, F, Y, X); `times` are the valid times of
    `following`. `before` are the hourly states before `now`, oldest first, (B, H - 1, V, Y, X), for
    a model with a history of H states. `map_factor` (B, Y, X) and the `weights` of the points (B,
    Y, X) are given where they are needed. With several devices, a batch is a `share` of a larger
    one.
    """

    now: torch.Tensor
    following: torch.Tensor
    forcings: torch.Tensor
    times: tuple[datetime, ...]
    before: torch.Tensor | None = None
    share: Share | None = None
    map_factor: torch.Tensor | None = None
    weights: torch.Tensor | None = None

    @property
    def full_size(self) -> int:
        """The number of samples on all devices together."""
        return len(self.now) if self.share is None else self.share.full_size

    def own_part(self, drawn: torch.Tensor) -> torch.Tensor:
        """This device's part (B, ...) of numbers drawn for the full batch (full size, ...).

        The random numbers thus do not depend on the number of devices.
        """
        return drawn if self.share is None else drawn[list(self.share.indices)]

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device; the copy is asynchronous if this batch is pinned."""
        return self._with_each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "Batch":
        """The same batch in page-locked memory, from which a GPU copies asynchronously."""
        return self._with_each(torch.Tensor.pin_memory)

    def _with_each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "Batch":
        tensors: dict[str, Any] = {
            key: change(value) for key, value in vars(self).items() if torch.is_tensor(value)
        }
        return replace(self, **tensors)


class Pairs:
    """All pairs (t, t + 1 h) of the given valid times.

    Pairs with a missing hour or missing points are left out. With a `history` of more than one
    state, the hours before t must be complete as well.

    States are kept in memory as float32 if they take at most `bytes_in_memory` in total. Otherwise
    they are read from the day files whenever they are needed, by `readers` threads; a crop reads
    little more than its rows. `map_factor` (y, x), if given, is added to each batch.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        variables: Sequence[str],
        times: Sequence[datetime],
        forcings: Forcings,
        bytes_in_memory: float,
        history: int = 1,
        map_factor: np.ndarray | None = None,
        readers: int = 1,
    ) -> None:
        self.variables = tuple(variables)
        self.history = history
        self.forcings = forcings
        self.map_factor = None if map_factor is None else map_factor.astype(np.float32)
        self._reader = StateReader(paths, self.variables)
        self._threads = ThreadPoolExecutor(readers, thread_name_prefix="read states")
        present = set(self._reader.times) & set(times)
        complete = present - self._reader.incomplete
        needed = range(1 - history, 2)
        self.times = [
            time for time in sorted(complete) if all(time + hours(k) in complete for k in needed)
        ]
        if not self.times:
            raise StormdrawError(
                f"the fields have no {len(needed)} complete consecutive hours among the "
                f"{len(times)} requested ({len(present)} are present, {len(present - complete)} "
                "of these with missing points); check the period, the archive's manifests and "
                "results/fields/quality"
            )
        for count, what in (
            (len(times) - len(present), "are not in the fields"),
            (len(present - complete), "have missing points and are left out"),
        ):
            if count:
                logger.warning("%d of %d hours %s", count, len(times), what)
        size = 4 * len(complete) * len(self.variables) * forcings.latitude.size
        self._states: dict[datetime, np.ndarray] = {}
        self.bytes = size if size <= bytes_in_memory else 0
        if self.bytes:
            memory = self.empty_states([WHOLE_GRID] * len(complete))
            kept = dict(zip(sorted(complete), memory, strict=True))
            self._fetch([(time, WHOLE_GRID, state) for time, state in kept.items()])
            self._states = kept

    def __len__(self) -> int:
        return len(self.times)

    @property
    def shape(self) -> tuple[int, int]:
        """(y, x) of the grid."""
        rows, columns = self.forcings.latitude.shape
        return rows, columns

    def batch(self, indices: Sequence[int], windows: Sequence[Window] | None = None) -> Batch:
        """The pairs with these indices, each cropped to its window if windows are given.

        Raises StormdrawError, naming file, variable and time, if a field has NaN.
        """
        times = [self.times[index] for index in indices]
        following = [time + hours(1) for time in times]
        windows = [WHOLE_GRID] * len(times) if windows is None else windows
        known = np.stack(list(map(self.forcings.at, following, windows)))
        before = self.empty_states(windows, self.history - 1)
        now, then = self.empty_states(windows), self.empty_states(windows)
        # Oldest first, each (B, V, y, x).
        self.fetch(times, windows, [*before.swapaxes(0, 1), now, then], newest=1)
        return Batch(
            torch.from_numpy(now),
            torch.from_numpy(then),
            torch.from_numpy(known),
            tuple(following),
            torch.from_numpy(before) if self.history > 1 else None,
            map_factor=self._map_factors(windows),
        )

    def empty_states(self, windows: Sequence[Window], *hours_each: int) -> np.ndarray:
        """An empty array for states in windows of one size, float32 (B, *hours_each, V, y, x)."""
        rows, columns = windows[0]
        points = self.forcings.latitude[rows, columns].shape
        return np.empty((len(windows), *hours_each, len(self.variables), *points), np.float32)

    def fetch(
        self,
        times: Sequence[datetime],
        windows: Sequence[Window],
        places: Sequence[np.ndarray],
        newest: int,
    ) -> None:
        """Fill `places`, each (B, V, y, x), with the states of consecutive hours.

        The last place gets the states `newest` hours after `times`. Raises StormdrawError, naming
        file, variable and time, if a field has NaN.
        """
        first = newest - len(places) + 1
        self._fetch(
            [
                (time + hours(first + hour), window, place[sample])
                for hour, place in enumerate(places)
                for sample, (time, window) in enumerate(zip(times, windows, strict=True))
            ]
        )

    def _map_factors(self, windows: Sequence[Window]) -> torch.Tensor | None:
        if self.map_factor is None:
            return None
        return torch.from_numpy(np.stack([self.map_factor[window] for window in windows]))

    def _fetch(self, wanted: Sequence[_Wanted]) -> None:
        """Read parts of states, from memory or from files with several threads."""
        if self._states:
            for time, (rows, columns), out in wanted:
                out[:] = self._states[time][:, rows, columns]
            return
        for _ in self._threads.map(self._read, wanted):
            pass

    def _read(self, wanted: _Wanted) -> None:
        time, window, out = wanted
        self._reader.read(time, out, window)
        check_finite(out, self.variables, self._reader.path_of(time), time)


def check_finite(
    state: np.ndarray, variables: Sequence[str], path: str | Path, time: datetime
) -> None:
    """Raise StormdrawError if a state (variable, y, x) has a point that is not finite."""
    for name, field in zip(variables, state, strict=True):
        wrong = int(np.count_nonzero(~np.isfinite(field)))
        if wrong:
            raise StormdrawError(
                f"{path}: {name} at {time:%Y-%m-%d %H} UTC has {wrong} missing points, which a "
                "model cannot use, but its attribute incomplete_times does not list that hour; "
                "delete the file to make it again"
            )
