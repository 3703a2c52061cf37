"""States, each with what a trained forecaster makes of it: what perturbation models learn from."""

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import torch

from stormdraw.errors import StormdrawError
from stormdraw.grids import WHOLE_GRID, Window, with_ends
from stormdraw.models.bounds import apply_bounds
from stormdraw.models.checkpoint import TrainedModel
from stormdraw.models.devices import autocast
from stormdraw.models.forcings import Forcings
from stormdraw.models.one_step import OneStepModel
from stormdraw.models.pairs import Batch, Pairs
from stormdraw.times import hours

logger = logging.getLogger(__name__)


class HourAhead:
    """The forecast of one hour, by a model without chance.

    `forcings` are that model's. Raises StormdrawError if it is of another kind.
    """

    def __init__(self, trained: TrainedModel, forcings: Forcings) -> None:
        if not isinstance(trained.model, OneStepModel) or trained.model.stochastic:
            raise StormdrawError(
                f"the forecaster {trained.name} is no deterministic model; name one that is"
            )
        self.name = trained.name
        self.model = trained.model
        self.forcings = forcings

    @property
    def history(self) -> int:
        """How many hourly states it starts from."""
        return self.model.settings.history

    def around(self, window: Window) -> Window:
        """What of the grid it has to know to forecast a window, whose ends are stated, as in the
        whole grid."""
        network, (height, width) = self.model.network, self.forcings.latitude.shape
        if network.context is None:
            return slice(0, height), slice(0, width)
        reach = network.context, network.multiple
        return _around(window[0], height, *reach), _around(window[1], width, *reach)

    @torch.inference_mode()
    def __call__(
        self, states: np.ndarray, valid: datetime, window: Window = WHOLE_GRID
    ) -> np.ndarray:
        """The physical state at `valid`, (V, y, x), from those of the hours before it.

        `states` are (H, V, y, x), the oldest first, on the whole grid or a window of it. Bounds are
        applied, as when it forecasts.
        """
        device = next(self.model.parameters()).device
        start = torch.from_numpy(states).to(device)
        known = torch.from_numpy(self.forcings.at(valid, window)).to(device)[None]
        before = start[None, :-1] if len(start) > 1 else None
        with autocast(self.model.settings.training.precision, device):
            following = self.model.step(start[-1:], known, before)
        return apply_bounds(following, self.model.variables)[0][0].cpu().numpy()

    def fingerprint(self) -> str:
        """A short hash of its weights."""
        digest = hashlib.sha256()
        for name, value in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]


class ForecastPairs(Pairs):
    """Pairs (x, G(x)) of analyses and one-hour forecasts from them, in the place of (t, t + 1 h).

    Forecasts are made once if they, too, fit into `bytes_in_memory`, and each time they are needed
    if not, of crops with what the forecaster has to know around them, so that they have no edges of
    their own. A batch has no forcings: its model knows the state alone.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        variables: Sequence[str],
        times: Sequence[datetime],
        forcings: Forcings,
        bytes_in_memory: float,
        forecaster: HourAhead,
        readers: int = 1,
    ) -> None:
        super().__init__(
            *(paths, variables, times, forcings, bytes_in_memory),
            history=forecaster.history,
            readers=readers,
        )
        self.forecaster = forecaster
        self._forecasts: dict[datetime, np.ndarray] = {}
        size = 4 * len(self.times) * len(self.variables) * forcings.latitude.size
        if self.bytes and self.bytes + size <= bytes_in_memory:
            self.bytes += size
            self._forecasts = {time: self._forecast(time, WHOLE_GRID) for time in self.times}
            logger.info("%d forecasts of one hour by %s", len(self), forecaster.name)

    def batch(self, indices: Sequence[int], windows: Sequence[Window] | None = None) -> Batch:
        """The pairs with these indices, each cropped to its window if there are windows.

        Raises StormdrawError, naming file, variable and time, if a field has NaN.
        """
        times = [self.times[index] for index in indices]
        windows = [WHOLE_GRID] * len(times) if windows is None else windows
        following = [time + hours(1) for time in times]
        known = map(self.forcings.at, following, windows)
        now = self.empty_states(windows)
        self.fetch(times, windows, [now], newest=0)
        forecasts = list(map(self._following, times, windows))
        return Batch(
            torch.from_numpy(now),
            torch.from_numpy(np.stack(forecasts)),
            torch.from_numpy(np.stack(list(known))),
            tuple(following),
        )

    def _following(self, time: datetime, window: Window) -> np.ndarray:
        rows, columns = with_ends(window, self.shape)
        if self._forecasts:
            return self._forecasts[time][:, rows, columns]
        around = self.forecaster.around((rows, columns))
        forecast = self._forecast(time, around)
        return forecast[:, _within(rows, around[0]), _within(columns, around[1])]

    def _forecast(self, time: datetime, window: Window) -> np.ndarray:
        start = self.empty_states([window], self.history)
        self.fetch([time], [window], list(start.swapaxes(0, 1)), newest=0)
        forecast = self.forecaster(start[0], time + hours(1), window)
        if not np.isfinite(forecast).all():
            raise StormdrawError(
                f"the forecaster {self.forecaster.name} makes values that are not numbers of the "
                f"state at {time:%Y-%m-%d %H} UTC; train it longer or with a lower learning rate"
            )
        return forecast


def _around(part: slice, side: int, context: int, multiple: int) -> slice:
    """What a network has to know along an axis of `side` points, in whole multiples."""
    first = max(0, part.start - context) // multiple * multiple
    end = part.stop + context
    return slice(first, min(side, end + -(end - first) % multiple))


def _within(part: slice, around: slice) -> slice:
    """A slice of an axis, counted from where another one begins."""
    return slice(part.start - around.start, part.stop - around.start)
