"""Reports of weather stations in the world, as IEM writes them, with the faults of real ones.

A station lies anywhere in the window, and higher or lower than the terrain of the model there, by a
standard deviation of 120 m. It has the value of the world between the points around it, at its own
height, plus a representativeness error: a station is not a cell of 3 km. That error is normal and
independent from report to report and station to station, with the standard deviations `ERRORS`.

Reports are as airports write them: temperature in tenths of a degree Celsius, converted to
Fahrenheit; wind in whole knots and tens of degrees, calm below 3 knots, and at up to 6 knots
sometimes without a direction. Routine reports come at 53 minutes past the hour, and special ones at
30 and 57. Some reports are absent, some values missing (M). Rain counts from the routine report on.
The sensor of one station is stuck, and one station writes degrees Celsius where Fahrenheit are due.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from stormdraw.seeds import generator_for
from stormdraw.simulated.lattices import Interpolation, Places
from stormdraw.simulated.surface import Surface
from stormdraw.times import DATE_FORMAT, format_date, hours

# Standard deviations of representativeness errors, in K and m/s.
ERRORS = {"T2M": 0.7, "D2M": 0.9, "U10": 0.9, "V10": 0.9}

# The change of temperature and dew point with the height of a station above the model's terrain, in
# K/m: the standard atmosphere's.
LAPSE_RATE = 0.0065
_HEIGHT_DEVIATION = 120.0
_LARGEST_HEIGHT = 300.0

# Grid points for each station, and the least number of stations.
_POINTS = 200
_LEAST = 12

NETWORK = "SIM_ASOS"
STUCK, CELSIUS = "S000", "S001"
_STUCK_TEMPERATURE, _STUCK_DEWPOINT = 290.0, 285.0

HEADER = "station,valid,lon,lat,elevation,drct,sknt,tmpf,dwpf,gust,mslp,p01i"
_MISSING = "M"

# Minutes from the report to the hour, and the share of the hours that have it.
_REPORTS = ((7, 0.98), (3, 0.08), (30, 0.08))
_ROUTINE = 7
_MISSING_SHARE = 0.03
_VARIABLE_SHARE = 0.3
_KNOT = 1852.0 / 3600.0

# Files have the reports of a day and of these hours before it.
HOURS_BEFORE = 12


class StationReports:
    """Collects the reports of some days (YYYYMMDD) and writes a file for each."""

    def __init__(self, surface: Surface, run_seed: int, days: Sequence[str]) -> None:
        self._run_seed = run_seed
        self._lines: dict[str, list[str]] = {day: [] for day in days}
        generator = generator_for(run_seed, "simulated", "stations")
        window = surface.domain.window
        self.count = max(_LEAST, window.shape[0] * window.shape[1] // _POINTS)
        # A spacing from the edge, so that each has four points of the window around it.
        inside = [generator.uniform(axis[1], axis[-2], self.count) for axis in (window.x, window.y)]
        longitude, latitude = window.to_longitude_latitude(*inside)
        self.places = Places(longitude, latitude)
        self._interpolation = Interpolation(surface.domain.box, self.places)
        above = _HEIGHT_DEVIATION * generator.standard_normal(self.count)
        self.above_terrain = np.clip(above, -_LARGEST_HEIGHT, _LARGEST_HEIGHT)
        terrain = self._interpolation.apply({"OROG": surface.terrain})["OROG"]
        self.elevation = terrain + self.above_terrain

    @property
    def names(self) -> list[str]:
        """The stations' names."""
        return [f"S{number:03d}" for number in range(self.count)]

    def observe(self, seen: Mapping[str, np.ndarray], time: datetime) -> None:
        """Report the hour `time`, of which `seen` has the variables on the box, each (y, x)."""
        days = [format_date(time), format_date(time + hours(HOURS_BEFORE))]
        wanted = [day for day in dict.fromkeys(days) if day in self._lines]
        if not wanted:
            return
        generator = generator_for(self._run_seed, "simulated", "stations", f"{time:%Y%m%d%H}")
        names = [name for name in (*ERRORS, "APCP") if name in seen]
        truth = self._interpolation.apply({name: seen[name] for name in names})
        for name in ("T2M", "D2M"):
            truth[name] = truth[name] - LAPSE_RATE * self.above_terrain
        for minutes, share in sorted(_REPORTS, reverse=True):
            there = generator.random(self.count) < share
            lines = self._report(truth, time, minutes, generator)
            for day in wanted:
                self._lines[day] += [line for line, kept in zip(lines, there, strict=True) if kept]

    def write(self, folder: Path) -> None:
        """Write the files below `iem`, named as the archive keeps IEM's answers."""
        for day, lines in self._lines.items():
            midnight = datetime.strptime(day, DATE_FORMAT)
            first = f"{midnight - hours(HOURS_BEFORE) - timedelta(minutes=15):%Y-%m-%d %H:%M}"
            kept = sorted((line for line in lines if _time(line) >= first), key=_time)
            path = folder / "iem" / day / f"{NETWORK}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join([HEADER, *kept]) + "\n", encoding="utf-8")

    def _report(
        self,
        truth: Mapping[str, np.ndarray],
        time: datetime,
        minutes: int,
        generator: np.random.Generator,
    ) -> list[str]:
        """A report of each station, so many minutes before the hour."""
        seen = {
            name: truth[name] + error * generator.standard_normal(self.count)
            for name, error in ERRORS.items()
        }
        seen["D2M"] = np.minimum(seen["D2M"], seen["T2M"])
        names = np.array(self.names)
        for name, value in (("T2M", _STUCK_TEMPERATURE), ("D2M", _STUCK_DEWPOINT)):
            seen[name][names == STUCK] = value
        columns = [
            *_wind(seen["U10"], seen["V10"], generator),
            *(_temperature(seen[name], names == CELSIUS, generator) for name in ("T2M", "D2M")),
            [_MISSING] * self.count,
            [_MISSING] * self.count,
            _rain(truth.get("APCP"), minutes, self.count),
        ]
        valid = f"{time - timedelta(minutes=minutes):%Y-%m-%d %H:%M}"
        places = zip(*self.places.longitude_latitude(), self.elevation, strict=True)
        return [
            f"{name},{valid},{longitude:.4f},{latitude:.4f},{elevation:.2f},{','.join(values)}"
            for name, (longitude, latitude, elevation), values in zip(
                names, places, zip(*columns, strict=True), strict=True
            )
        ]


def _time(line: str) -> str:
    return line.split(",")[1]


def _or_missing(texts: Sequence[str], generator: np.random.Generator) -> list[str]:
    missing = generator.random(len(texts)) < _MISSING_SHARE
    return [_MISSING if gone else text for text, gone in zip(texts, missing, strict=True)]


def _temperature(
    kelvin: np.ndarray, in_celsius: np.ndarray, generator: np.random.Generator
) -> list[str]:
    """Degrees Fahrenheit, of tenths of a degree Celsius."""
    celsius = np.round(kelvin - 273.15, 1)
    written = np.where(in_celsius, celsius, 1.8 * celsius + 32.0)
    return _or_missing([f"{value:.2f}" for value in written], generator)


def _wind(
    u: np.ndarray, v: np.ndarray, generator: np.random.Generator
) -> tuple[list[str], list[str]]:
    """Direction in degrees and speed in knots of a wind towards east and north in m/s."""
    speed = np.rint(np.hypot(u, v) / _KNOT)
    direction = 10.0 * np.rint(np.rad2deg(np.arctan2(-u, -v)) / 10.0) % 360.0
    calm = speed < 3.0
    varies = (speed <= 6.0) & (generator.random(len(u)) < _VARIABLE_SHARE) & ~calm
    missing = generator.random(len(u)) < _MISSING_SHARE
    directions = [
        _MISSING if unknown else f"{0.0 if still else degrees or 360.0:.2f}"
        for degrees, still, unknown in zip(direction, calm, varies | missing, strict=True)
    ]
    speeds = [
        _MISSING if unknown else f"{0.0 if still else knots:.2f}"
        for knots, still, unknown in zip(speed, calm, missing, strict=True)
    ]
    return directions, speeds


def _rain(amount: np.ndarray | None, minutes: int, count: int) -> list[str]:
    """Inches since the routine report, which itself has the hour's."""
    if amount is None:
        return [_MISSING] * count
    inches = amount / 25.4 if minutes >= _ROUTINE else np.zeros(count)
    return ["T" if 0.0 < value < 0.005 else f"{value:.2f}" for value in inches]
