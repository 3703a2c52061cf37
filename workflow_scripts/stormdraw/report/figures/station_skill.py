"""Skill at each station on the map."""

from pathlib import Path

from stormdraw.report.figure import Files, ReportFigure
from stormdraw.report.mapped_case import MappedCase
from stormdraw.report.station_maps import StationScore, draw_station_maps
from stormdraw.scores.stations.by_place import read_by_place
from stormdraw.settings import Settings

_SKILL = StationScore("skill", "Skill at stations", "skill", "RdBu", 0.05, True)


def _draw(settings: Settings, files: Files, output: Path) -> None:
    grid = MappedCase(next(iter(files.maps.values()))).grid
    draw_station_maps(settings, read_by_place(files.places), grid, _SKILL, output)


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
    draw=_draw,
)
