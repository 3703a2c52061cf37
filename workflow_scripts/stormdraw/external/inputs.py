"""Which files of others a run reads, as far as that is known before they are opened."""

import glob
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from stormdraw.curvilinear import CurvilinearGrid
from stormdraw.errors import StormdrawError
from stormdraw.external.paths import PathTemplate, is_url
from stormdraw.external.reading import open_state
from stormdraw.external.settings import ExternalFiles
from stormdraw.grids import Grid
from stormdraw.times import hours


def local_files(
    files: ExternalFiles, name: str, init: datetime, variables: Sequence[str], leads: Sequence[int]
) -> list[str]:
    """The files or folders that there are of a case; none of those that an address leads to."""
    if is_url(files.path):
        return []
    template = PathTemplate(files.path)
    every = [_fields(files, name, init, own, lead) for own in variables for lead in leads]
    if "member" in template.fields:
        patterns = {template.glob(**fields) for fields in every}
        return sorted({path for pattern in patterns for path in glob.glob(pattern)})
    paths = {template.path(**fields) for fields in every}
    return sorted(path for path in paths if Path(path).exists())


def require_any(
    files: ExternalFiles,
    origin: str,
    name: str,
    times: Iterable[datetime],
    variables: Sequence[str],
    leads: Sequence[int],
) -> None:
    """Raise StormdrawError if there is no local file for any of some times.

    `origin` is what the configuration calls these files.
    """
    times = list(times)
    if is_url(files.path) or any(local_files(files, name, t, variables, leads) for t in times):
        return
    fields = _fields(files, name, times[0], variables[0], leads[0]) | {"member": 0}
    raise StormdrawError(
        f"{origin}: path: there is no file of any of the {len(times)} times of this run, such as "
        f"{PathTemplate(files.path).path(**fields)}; correct the path, which is relative to where "
        "snakemake runs, or the periods"
    )


def first_grid(
    files: ExternalFiles, name: str, times: Iterable[datetime], variables: Sequence[str]
) -> Grid | None:
    """The grid of the first field of an analysis at some valid times; None if there is none.

    Raises StormdrawError as `open_state` does, and for points that lie on no known map.
    """
    for valid in times:
        with open_state(files, name, valid, variables) as state:
            grid = state.grid
            if isinstance(grid, CurvilinearGrid):
                raise StormdrawError(
                    f"{state.origin(variables[0])}: only latitudes and longitudes of its points "
                    "are known, but fields are compared on a map; if they have one, name it under "
                    "layout.crs, and its axes under layout.x and layout.y"
                )
            if grid is not None:
                return grid
    return None


def _fields(
    files: ExternalFiles, name: str, init: datetime, variable: str, lead: int
) -> dict[str, Any]:
    return {
        "name": name,
        "init": init,
        "valid": init + hours(lead),
        "lead": lead,
        "variable": files.layout.in_path(variable),
    }
