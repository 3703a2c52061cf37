"""Bias at each station on the map."""

from functools import partial

from stormdraw.report.figure import ReportFigure
from stormdraw.report.station_maps import StationScore, draw_score

_BIAS = StationScore("bias", "Bias at stations", "bias ({})", "RdBu_r", 0.1)

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
    draw=partial(draw_score, _BIAS),
)
