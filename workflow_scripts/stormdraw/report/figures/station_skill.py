"""Skill at each station on the map."""

from functools import partial

from stormdraw.report.figure import ReportFigure
from stormdraw.report.station_maps import StationScore, draw_score

_SKILL = StationScore("skill", "Skill at stations", "skill", "RdBu", 0.05, True)

FIGURE = ReportFigure(
    title=_SKILL.title,
    category="Stations",
    caption=(
        "Each dot is a station. Its colour is 1 - CRPS / CRPS of the reference, of all cases and "
        "leads with a report: blue is better than the reference, red is worse. The reference "
        "itself is not shown. A single station has few independent reports: look for regions, not "
        "for dots."
    ),
    reads=("maps", "places"),
    settings=("ensembles.systems", "scores.reference"),
    draw=partial(draw_score, _SKILL),
)
