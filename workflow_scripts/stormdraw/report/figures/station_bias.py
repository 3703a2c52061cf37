"""Bias at each station on the map."""

from pathlib import Path

from stormdraw.report.figure import Files, ReportFigure
from stormdraw.report.mapped_case import MappedCase
from stormdraw.report.station_maps import StationScore, draw_station_maps
from stormdraw.scores.stations.by_place import read_by_place
from stormdraw.settings import Settings

_BIAS = StationScore("bias", "Bias at stations", "bias ({})", "RdBu_r", 0.1)


def _draw(settings: Settings, files: Files, output: Path) -> None:
    grid = MappedCase(next(iter(files.maps.values()))).grid
    draw_station_maps(settings, read_by_place(files.places), grid, _BIAS, output)


FIGURE = ReportFigure(
    title=_BIAS.title,
    category="Stations",
    caption=(
        "Each dot is a station. Its colour is the mean of forecast minus report, of all cases and "
        "leads: red is too high, blue too low. A bias that all systems share at a station may be "
        "that of the station, of its height or of its surroundings."
    ),
    reads=("maps", "places"),
    settings=("ensembles.systems",),
    draw=_draw,
)
