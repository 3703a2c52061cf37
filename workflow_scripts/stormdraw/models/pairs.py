"""States one hour apart, as training samples."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stormdraw.errors import StormdrawError
from stormdraw.grids import WHOLE_GRID, Window, with_ends
from stormdraw.models.forcings import Forcings, ForecastHour
from stormdraw.models.ranks import Share
from stormdraw.models.stored_states import StoredStates
from stormdraw.seeds import seed_for
from stormdraw.times import format_init, hours

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """Pairs of physical states with their forcings.

    `now` (B, V, Y, X) has the predicted variables; `following`, (B, W, Y, X), those and the
    diagnosed ones. `forcings` are (B, F, Y, X); `times` are the valid times of `following`.
    `before` are the hourly states before `now`, oldest first, (B, H - 1, V, Y, X), for
    a model with a history of H states. `map_factor` (B, Y, X) and the `weights` of the points (B,
    Y, X) are given where they are needed. With several devices, a batch is a `share` of a larger
    one.

    For a model that is unrolled over R hours, `later` (B, R - 1, W, Y, X) are the hours after
    `following`, and `later_forcings` (B, R - 1, F, Y, X) their forcings.
    """

    now: torch.Tensor
    following: torch.Tensor
    forcings: torch.Tensor
    times: tuple[datetime, ...]
    before: torch.Tensor | None = None
    share: Share | None = None
    map_factor: torch.Tensor | None = None
    weights: torch.Tensor | None = None
    later: torch.Tensor | None = None
    later_forcings: torch.Tensor | None = None

    @property
    def hours(self) -> int:
        """The number of hours to predict."""
        return 1 if self.later is None else 1 + self.later.shape[1]

    def following_at(self, hour: int) -> torch.Tensor:
        """The state to predict at an hour, counted from 0, (B, W, Y, X)."""
        return self.following if self.later is None or hour == 0 else self.later[:, hour - 1]

    def forcings_at(self, hour: int) -> torch.Tensor:
        """The forcings of an hour, counted from 0, (B, F, Y, X)."""
        if self.later_forcings is None or hour == 0:
            return self.forcings
        return self.later_forcings[:, hour - 1]

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

    `variables` are those of a forecast; the last ones of them, `diagnosed`, are of the hour
    afterwards alone. Forcings that depend on the start of a forecast are those of one that started
    up to `longest_lead` hours before t + 1 h: `batch` is told how many, or takes a different number
    for each pair in turn. With `hours_ahead` above 1, as many hours after t must be complete. For
    the states and their memory see `StoredStates`. `map_factor` (y, x),
    if given, is added to each batch.
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
        diagnosed: Sequence[str] = (),
        longest_lead: int = 1,
        hours_ahead: int = 1,
    ) -> None:
        self.hours_ahead = hours_ahead
        self.variables = tuple(variables)
        self.predicted = len(self.variables) - len(diagnosed)
        self.history = history
        self.forcings = forcings
        self.longest_lead = longest_lead
        self.map_factor = None if map_factor is None else map_factor.astype(np.float32)
        self._states = StoredStates(
            *(paths, variables, times, forcings.shape, bytes_in_memory, readers)
        )
        self.bytes = self._states.bytes
        present, complete = self._states.present, self._states.usable
        needed = range(1 - history, hours_ahead + 1)
        self.times = [
            time
            for time in sorted(complete)
            if all(time + hours(k) in complete for k in needed)
            and leads_at(time, forcings, longest_lead, hours_ahead)
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

    def __len__(self) -> int:
        return len(self.times)

    @property
    def shape(self) -> tuple[int, int]:
        """(y, x) of the grid."""
        return self.forcings.shape

    def draw_lead(self, index: int, random: np.random.Generator, hours_ahead: int = 1) -> int:
        """How many hours before the end of a pair its forecast starts, at random.

        As often one as the other of those that there are fields for, at all hours to predict.
        """
        of_forecast = self.times[index], self.forcings, self.longest_lead
        return int(random.choice(leads_at(*of_forecast, hours_ahead)))

    def batch(
        self,
        indices: Sequence[int],
        windows: Sequence[Window] | None = None,
        leads: Sequence[int] | None = None,
        hours_ahead: int = 1,
    ) -> Batch:
        """The pairs with these indices, each cropped to its window if windows are given.

        Each is an hour of a forecast with the given lead, or else with the `usual_lead`; with
        `hours_ahead` above 1, the forecast goes on to so many hours after t. Raises StormdrawError,
        naming file, variable and time, if a field has NaN.
        """
        times = [self.times[index] for index in indices]
        following = [time + hours(1) for time in times]
        windows = [WHOLE_GRID] * len(times) if windows is None else windows
        if leads is None:
            leads = [usual_lead(time, self.forcings, self.longest_lead) for time in times]
        before = self.empty_states(windows, self.history - 1)
        now, then = self.empty_states(windows), self.empty_states(windows, of=len(self.variables))
        later = self.empty_states(windows, hours_ahead - 1, of=len(self.variables))
        # Oldest first, each (B, V, y, x).
        states = [*before.swapaxes(0, 1), now, then, *later.swapaxes(0, 1)]
        self.fetch(times, windows, states, newest=hours_ahead)
        batch = Batch(
            torch.from_numpy(now),
            torch.from_numpy(then),
            torch.from_numpy(self._forcings(following, leads, windows)),
            tuple(following),
            torch.from_numpy(before) if self.history > 1 else None,
            map_factor=self._map_factors(windows),
        )
        if hours_ahead == 1:
            return batch
        forcings = [
            self._forcings(
                [time + hours(k) for time in following], [lead + k for lead in leads], windows
            )
            for k in range(1, hours_ahead)
        ]
        return replace(
            batch,
            later=torch.from_numpy(later),
            later_forcings=torch.from_numpy(np.stack(forcings, axis=1)),
        )

    def empty_states(
        self, windows: Sequence[Window], *hours_each: int, of: int | None = None
    ) -> np.ndarray:
        """An empty array for states in windows of one size, float32 (B, *hours_each, V, y, x).

        They have the predicted variables, or the first ones `of` a forecast's.
        """
        points = (part.stop - part.start for part in with_ends(windows[0], self.shape))
        variables = self.predicted if of is None else of
        return np.empty((len(windows), *hours_each, variables, *points), np.float32)

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
        self._states.fetch(
            [
                (time + hours(first + hour), window, place[sample])
                for hour, place in enumerate(places)
                for sample, (time, window) in enumerate(zip(times, windows, strict=True))
            ]
        )

    def _forcings(
        self, valid: Sequence[datetime], leads: Sequence[int], windows: Sequence[Window]
    ) -> np.ndarray:
        """The forcings at valid times, (B, F, y, x)."""
        moments = map(ForecastHour.at, valid, leads)
        return np.stack(list(map(self.forcings.at, moments, windows)))

    def _map_factors(self, windows: Sequence[Window]) -> torch.Tensor | None:
        if self.map_factor is None:
            return None
        return torch.from_numpy(np.stack([self.map_factor[window] for window in windows]))


def usual_lead(start: datetime, forcings: Forcings, longest: int) -> int:
    """The lead of the hour after `start` where none is drawn, as in validation.

    It is always the same for an hour, and over many hours as often one as the other. They do not
    take turns, since the hour of the day would then say which one it is.
    """
    leads = leads_at(start, forcings, longest)
    return leads[seed_for(0, "lead", format_init(start)) % len(leads)]


def leads_at(
    start: datetime, forcings: Forcings, longest: int, hours_ahead: int = 1
) -> tuple[int, ...]:
    """The leads, up to the `longest`, that the hour after `start` may have in training.

    Those of forecasts for which there are all forcings, at all `hours_ahead`, none of which is
    later than the longest lead. Only 1 if that makes no difference.
    """
    last = max(1, longest - hours_ahead + 1)
    possible = range(1, (last if forcings.by_lead else 1) + 1)
    valid = start + hours(1)
    return tuple(
        lead
        for lead in possible
        if all(
            forcings.has(ForecastHour.at(valid + hours(k), lead + k)) for k in range(hours_ahead)
        )
    )
