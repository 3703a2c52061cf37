"""Maps of the CRPS of each system."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from stormdraw.report.figure import Files, ReportFigure
from stormdraw.report.graticule import MapGrid, draw_graticule, draw_scale_bar, map_grid
from stormdraw.report.mapped import mapped_variable
from stormdraw.report.mapped_case import MappedCase
from stormdraw.report.style import WIDTH, describe, drawn, panels, write_gap
from stormdraw.report.wording import plural, units_text
from stormdraw.scores.maps import mean_crps_maps
from stormdraw.settings import Settings
from stormdraw.variables import variable

TITLE = "CRPS on the map"

_COLUMNS = 3


def draw_crps_maps(
    settings: Settings,
    score_paths: Mapping[str, Sequence[Path]],
    grid: MapGrid,
    output: str | Path,
) -> None:
    """Draw the CRPS of `mapped_variable` at each point, averaged over cases and leads."""
    name = mapped_variable(settings)
    by_system = mean_crps_maps(score_paths, name)
    order = [system.name for system in settings.ensembles.systems]
    maps = {system: by_system[system] for system in order if system in by_system}
    if not any(np.isfinite(values).any() for values in maps.values()):
        reason = "No case has a map of every system; scores.maps must be true to keep them."
        write_gap(output, TITLE, reason)
        return
    top = float(np.nanquantile(np.stack(list(maps.values())), 0.99)) or 1.0
    cases = plural(max(len(paths) for paths in score_paths.values()), "case")
    columns = min(_COLUMNS, len(maps))
    width = WIDTH / columns
    size = (WIDTH, 0.6 + -(-len(maps) // columns) * (0.25 + 0.9 * width * grid.aspect))
    with drawn(output, size, TITLE) as figure:
        each, lowest = panels(figure, len(maps), columns)
        for index, (axes, (system, values)) in enumerate(zip(each, maps.items(), strict=True)):
            image = axes.imshow(
                values, origin="lower", extent=grid.extent, cmap="viridis", vmin=0.0, vmax=top
            )
            axes.grid(visible=False)
            draw_graticule(axes, grid, left=index % columns == 0, bottom=axes in lowest)
            axes.set_title(system)
        draw_scale_bar(each[0], grid)
        figure.colorbar(image, ax=each, shrink=0.8, extend="max", label=units_text(name))
        figure.suptitle(
            f"CRPS of {variable(name).long_name} · all leads, {cases}", x=0.01, ha="left"
        )
        describe(
            figure, f"Maps of the CRPS of {name}, all leads and {cases}, of {', '.join(maps)}."
        )


def _grid_of(files: Files) -> MapGrid:
    """The grid that all systems share."""
    return map_grid(MappedCase(next(iter(files.maps.values()))).grid)


FIGURE = ReportFigure(
    title="CRPS on the map",
    category="Scores",
    caption=(
        "The CRPS at each point, averaged over all cases and leads, on one scale for all systems; "
        "lower is better. It is the fair CRPS, or the Gaussian CRPS of a system of which only mean "
        "and spread are known; compare the two with care. With few cases the maps show where "
        "storms occurred rather than where a system is weak. A case is left out if one system "
        "lacks points that others have."
    ),
    reads=("statistics", "maps"),
    settings=("variables", "ensembles.systems"),
    draw=lambda settings, files, output: draw_crps_maps(
        settings, files.statistics, _grid_of(files), output
    ),
)
