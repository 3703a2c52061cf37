"""Analyses paired with one-hour forecasts from them: the training data of perturbation models."""

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
from stormdraw.models.forcings import Forcings, ForecastHour
from stormdraw.models.one_step import OneStepModel
from stormdraw.models.pairs import Batch, Pairs, leads_at, usual_lead
from stormdraw.times import hours

logger = logging.getLogger(__name__)


class OneHourForecaster:
    """Makes one-hour forecasts with a deterministic model.

    `forcings` are those of that model. Raises StormdrawError for another kind of model.
    """

    def __init__(self, trained: TrainedModel, forcings: Forcings) -> None:
        if not isinstance(trained.model, OneStepModel) or trained.model.stochastic:
            raise StormdrawError(
                f"the forecaster {trained.name} is not deterministic; name a model that is"
            )
        self.name = trained.name
        self.model = trained.model
        self.forcings = forcings

    @property
    def history(self) -> int:
        """The number of hourly states it starts from."""
        return self.model.settings.history

    def input_window(self, window: Window) -> Window:
        """The part of the grid needed to forecast a window as in the whole grid.

        Both ends of the window must be given.
        """
        network, (height, width) = self.model.network, self.forcings.shape
        if network.context is None:
            return slice(0, height), slice(0, width)
        reach = network.context, network.multiple
        return _input_slice(window[0], height, *reach), _input_slice(window[1], width, *reach)

    @torch.inference_mode()
    def __call__(
        self, states: np.ndarray, hour: ForecastHour, window: Window = WHOLE_GRID
    ) -> np.ndarray:
        """The physical state at an hour, (V, y, x), from the states of the hours before it.

        `states` are (H, V, y, x), the oldest first, on the whole grid or a window of it. Physical
        bounds are applied, as in forecasts. What the forecaster diagnoses is left out.
        """
        device = next(self.model.parameters()).device
        start = torch.from_numpy(states).to(device)
        known = torch.from_numpy(self.forcings.at(hour, window)).to(device)[None]
        before = start[None, :-1] if len(start) > 1 else None
        with autocast(self.model.settings.training.precision, device):
            following = self.model.step(start[-1:], known, before)
        bounded, _ = apply_bounds(following, self.model.variables)
        return bounded[0, : len(self.model.roles.predicted)].cpu().numpy()

    def fingerprint(self) -> str:
        """A short hash of the weights."""
        digest = hashlib.sha256()
        for name, value in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]


class ForecastPairs(Pairs):
    """Pairs (x, G(x)) of analyses and one-hour forecasts from them, instead of (t, t + 1 h).

    Forecasts are made once if they also fit into `bytes_in_memory`, and otherwise each time they
    are needed. Forecasts of crops include the surroundings that the forecaster needs, so that they
    have no edges. A batch has no forcings, since the model knows only the state.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        variables: Sequence[str],
        times: Sequence[datetime],
        forcings: Forcings,
        bytes_in_memory: float,
        forecaster: OneHourForecaster,
        readers: int = 1,
        longest_lead: int = 1,
    ) -> None:
        super().__init__(
            *(paths, variables, times, forcings, bytes_in_memory),
            history=forecaster.history,
            readers=readers,
            longest_lead=longest_lead,
        )
        self.forecaster = forecaster
        self.times = [
            time for time in self.times if leads_at(time, forecaster.forcings, longest_lead)
        ]
        self._forecasts: dict[datetime, np.ndarray] = {}
        size = 4 * len(self.times) * len(self.variables) * self.shape[0] * self.shape[1]
        if self.bytes and self.bytes + size <= bytes_in_memory:
            self.bytes += size
            self._forecasts = {time: self._forecast(time, WHOLE_GRID) for time in self.times}
            logger.info("%d forecasts of one hour by %s", len(self), forecaster.name)

    def batch(
        self,
        indices: Sequence[int],
        windows: Sequence[Window] | None = None,
        leads: Sequence[int] | None = None,
        hours_ahead: int = 1,
    ) -> Batch:
        """The pairs with these indices, each cropped to its window if windows are given.

        There is one hour ahead. `leads` make no difference: the model has no forcings, and each
        forecast is made but once, with the forecaster's forcings of the `usual_lead`. Raises
        StormdrawError, naming file, variable and time, if a field has NaN.
        """
        times = [self.times[index] for index in indices]
        windows = [WHOLE_GRID] * len(times) if windows is None else windows
        following = [time + hours(1) for time in times]
        now = self.empty_states(windows)
        self.fetch(times, windows, [now], newest=0)
        forecasts = list(map(self._following, times, windows))
        return Batch(
            torch.from_numpy(now),
            torch.from_numpy(np.stack(forecasts)),
            torch.from_numpy(self._forcings(following, [1] * len(times), windows)),
            tuple(following),
        )

    def _following(self, time: datetime, window: Window) -> np.ndarray:
        rows, columns = with_ends(window, self.shape)
        if self._forecasts:
            return self._forecasts[time][:, rows, columns]
        around = self.forecaster.input_window((rows, columns))
        forecast = self._forecast(time, around)
        return forecast[:, _relative_slice(rows, around[0]), _relative_slice(columns, around[1])]

    def _forecast(self, time: datetime, window: Window) -> np.ndarray:
        start = self.empty_states([window], self.history)
        self.fetch([time], [window], list(start.swapaxes(0, 1)), newest=0)
        lead = usual_lead(time, self.forecaster.forcings, self.longest_lead)
        forecast = self.forecaster(start[0], ForecastHour.at(time + hours(1), lead), window)
        if not np.isfinite(forecast).all():
            raise StormdrawError(
                f"the forecaster {self.forecaster.name} gives NaN or infinite values from the "
                f"state at {time:%Y-%m-%d %H} UTC; train it longer or with a lower learning rate"
            )
        return forecast


def _input_slice(part: slice, side: int, context: int, multiple: int) -> slice:
    """The points along an axis of `side` points that a network needs, in whole multiples."""
    first = max(0, part.start - context) // multiple * multiple
    end = part.stop + context
    return slice(first, min(side, end + -(end - first) % multiple))


def _relative_slice(part: slice, around: slice) -> slice:
    """A slice of an axis, relative to the start of another slice."""
    return slice(part.start - around.start, part.stop - around.start)
