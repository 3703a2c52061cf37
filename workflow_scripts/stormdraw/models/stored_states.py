"""States of many hours for training: in memory if they fit there, otherwise on the disk."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import numpy as np

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import StateReader
from stormdraw.grids import WHOLE_GRID, Window

# A part of a state (variable, y, x), float32: its valid time, its window, and where to write it.
Wanted = tuple[datetime, Window, np.ndarray]


class StoredStates:
    """The states of the given valid times, on a grid of `shape` (y, x).

    `usable` are those of the times that the files have and that have no missing points; `present`
    are all that they have. States are kept in memory as float32 if they take at most
    `bytes_in_memory` in total. Otherwise they are read from the day files whenever they are needed,
    by `readers` threads; a crop reads little more than its rows.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        variables: Sequence[str],
        times: Iterable[datetime],
        shape: tuple[int, int],
        bytes_in_memory: float = 0.0,
        readers: int = 1,
    ) -> None:
        self.variables = tuple(variables)
        self._reader = StateReader(paths, self.variables)
        self._threads = ThreadPoolExecutor(readers, thread_name_prefix="read states")
        self.present = set(self._reader.times) & set(times)
        self.usable = self.present - self._reader.incomplete
        self._kept: dict[datetime, np.ndarray] = {}
        size = 4 * len(self.usable) * len(self.variables) * shape[0] * shape[1]
        self.bytes = size if size <= bytes_in_memory else 0
        if self.bytes:
            memory = np.empty((len(self.usable), len(self.variables), *shape), np.float32)
            kept = dict(zip(sorted(self.usable), memory, strict=True))
            self.fetch([(time, WHOLE_GRID, state) for time, state in kept.items()])
            self._kept = kept

    def read(
        self, time: datetime, out: np.ndarray | None = None, window: Window = WHOLE_GRID
    ) -> np.ndarray:
        """The state valid at a time, or a part of it, float32 (variable, y, x).

        `out` is filled if given; it may be for the first variables only. Raises StormdrawError,
        naming file, variable and time, if a field has NaN.
        """
        if self._kept:
            rows, columns = window
            kept = self._kept[time][: None if out is None else len(out), rows, columns]
            if out is None:
                return kept
            out[:] = kept
            return out
        state = self._reader.read(time, out, window)
        check_finite(state, self.variables[: len(state)], self._reader.path_of(time), time)
        return state

    def fetch(self, wanted: Sequence[Wanted]) -> None:
        """Read parts of states with several threads; raises as `read` does."""
        run = map if self._kept else self._threads.map
        for _ in run(self._fetch_one, wanted):
            pass

    def _fetch_one(self, wanted: Wanted) -> None:
        time, window, out = wanted
        self.read(time, out, window)


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
