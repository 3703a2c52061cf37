"""The part `scores.stations` of a configuration."""

from typing import Annotated

from pydantic import Field

from stormdraw.section import Section
from stormdraw.variables import ScoredName

# Standard deviations of the sensors of ASOS (NOAA, ASOS User's Guide, 1998: RMSE of 0.9 degrees
# Fahrenheit, of 1.1 to 4.7 for dew points above freezing, and 2 knots). What a station differs from
# a grid cell by is not in them: it depends on the grid.
_SENSORS = {"T2M": 0.5, "D2M": 1.0, "U10": 1.0, "V10": 1.0, "WIND10": 1.0, "GUST": 1.0}

# Of the standard atmosphere, and the year's mean of Kunkel (1989,
# doi:10.1175/1520-0442(1989)002<0656:SPFEOH>2.0.CO;2) for the western United States: vapour
# pressure falls as exp(-0.38 z), z in km, and a dew point by 0.38 x 240.97 / 17.502 K a kilometre.
_LAPSE_RATE, _DEW_POINT_LAPSE_RATE = 6.5, 5.2


class StationScores(Section):
    """How forecasts are compared with reports of stations.

    The lapse rates (K/km, 0 for none) take T2M and D2M from the model's height to the station's.
    `observation_error` is the standard deviation by which a report differs from the grid cell's
    true value, in the variable's units; 0 for variables that it does not name.
    `held_out_share` of the stations, chosen by their names, are for no calibration.
    """

    lapse_rate: Annotated[float, Field(ge=0, le=15)] = _LAPSE_RATE
    dew_point_lapse_rate: Annotated[float, Field(ge=0, le=15)] = _DEW_POINT_LAPSE_RATE
    observation_error: dict[ScoredName, Annotated[float, Field(ge=0)]] = Field(
        default_factory=lambda: dict(_SENSORS)
    )
    held_out_share: Annotated[float, Field(ge=0, lt=1)] = 0.1

    @property
    def lapse_rates(self) -> dict[str, float]:
        """By variable, in K/km; only those that are not 0."""
        rates = {"T2M": self.lapse_rate, "D2M": self.dew_point_lapse_rate}
        return {name: rate for name, rate in rates.items() if rate}
