"""Forecasts on the grid -> forecasts at stations, at the station's height and along the compass."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.winds import turned
from stormdraw.scores.ensemble import Forecast, read_forecast
from stormdraw.scores.stations.places import Places
from stormdraw.variables import other_components, vectors


class AtStations:
    """An ensemble file at stations.

    `lapse_rates` by variable are how much colder it is a kilometre higher, in K. They apply where
    the model's terrain is known; a station of unknown elevation is then missing.
    """

    def __init__(
        self, ensemble: xr.Dataset, places: Places, lapse_rates: Mapping[str, float]
    ) -> None:
        self._ensemble = ensemble
        self._places = places
        self._lapse_rates = lapse_rates
        self._components: dict[tuple[str, int], Forecast] = {}

    def forecast(self, name: str, lead: int) -> Forecast:
        """One variable at one lead: members (member, station), or mean and spread (station,).

        Components of a wind point east and north. Their spreads are turned as if the errors of the
        two components were independent: a published spread does not tell how they are related. Wind
        speed is interpolated as such, since the speed of interpolated components is too low where
        the wind turns.

        Raises StormdrawError if a file has only one component of a wind.
        """
        if name in other_components():
            return self._turned(name, lead)
        forecast = self._read(name, lead)
        change = self._change_with_height(name)
        if change is None:
            return forecast
        if forecast.members is None:
            return replace(forecast, mean=forecast.mean + change)
        return replace(forecast, members=forecast.members + change)

    def percentile(self, name: str, field: np.ndarray) -> np.ndarray:
        """A percentile of the climatology (y, x) at the stations, float32 (station,).

        It is taken there as forecasts are, so that they and it are of one height. Not for
        components of a wind, which are along other axes at the stations.
        """
        taken = self._places.take(name, field.astype(np.float32, copy=False))
        change = self._change_with_height(name)
        return taken if change is None else taken + change

    def _change_with_height(self, name: str) -> np.ndarray | None:
        """What a variable changes from the model's height to the station's, if that is known."""
        rate = self._lapse_rates.get(name)
        if rate is None or np.isnan(self._places.terrain).all():
            return None
        return np.asarray(-rate * self._places.above, np.float32)

    def _read(self, name: str, lead: int) -> Forecast:
        return read_forecast(
            self._ensemble, name, lead, lambda field: self._places.take(name, field)
        )

    def _turned(self, name: str, lead: int) -> Forecast:
        if (name, lead) not in self._components:
            other = other_components()[name]
            x, y = (name, other) if name in vectors() else (other, name)
            self._read_wind(x, y, lead)
        # Each is asked for once, and a component of every lead waits for the other.
        return self._components.pop((name, lead))

    def _read_wind(self, x: str, y: str, lead: int) -> None:
        names = set(self._ensemble.data_vars)
        if not all(one in names or f"{one}_mean" in names for one in (x, y)):
            raise StormdrawError(f"{x} and {y} are needed together to turn the wind to the compass")
        u, v = self._read(x, lead), self._read(y, lead)
        # From the grid's axes to the compass is the way back.
        cosine, sine = (
            np.cos(self._places.angle).astype(np.float32),
            -np.sin(self._places.angle).astype(np.float32),
        )
        if u.members is not None and v.members is not None:
            if len(u.members) != len(v.members):
                raise StormdrawError(
                    f"{x} and {y} have {len(u.members)} and {len(v.members)} members at lead "
                    f"{lead} h, and are needed together; make the ensemble anew"
                )
            east, north = turned(u.members, v.members, cosine, sine)
            pair = replace(u, members=east), replace(v, members=north)
        else:
            mean = turned(u.mean, v.mean, cosine, sine)
            spread = (
                np.hypot(u.spread * cosine, v.spread * sine),
                np.hypot(u.spread * sine, v.spread * cosine),
            )
            pair = (
                replace(u, mean=mean[0], spread=spread[0]),
                replace(v, mean=mean[1], spread=spread[1]),
            )
        self._components[x, lead], self._components[y, lead] = pair
