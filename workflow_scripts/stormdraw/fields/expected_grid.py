"""The grid of the fields, as far as it is known before anything is fetched."""

import math
from pathlib import Path

from stormdraw.archive.driving_registry import driving_model
from stormdraw.archive.settings import Mirror
from stormdraw.archive.truths.external import ExternalTruth
from stormdraw.external.paths import is_url
from stormdraw.fields.own_grid import kept_grid
from stormdraw.fields.target import Target
from stormdraw.grids import Grid
from stormdraw.messages import opened, read_grid, read_messages
from stormdraw.settings import Settings


def archive_grid(settings: Settings) -> Grid | None:
    """The grid of the archive's files, or of the truth without one; None if it is not known yet.

    A mirror may hold less than the base model's whole grid. The first file of a folder tells its
    grid, if it exists; a mirror behind an address is only known from fetched files.
    """
    if not settings.uses_archive:
        return _local_grid_of_truth(settings)
    source, base = settings.archive.source, settings.archive.base_model
    if source == "simulated":
        window = settings.archive.simulated
        return base.grid.crop(slice(*window.rows), slice(*window.columns))
    if not isinstance(source, Mirror):
        return base.grid
    days = Path(source.mirror).expanduser().glob(base.days)
    path = next((found for day in days for found in day.rglob(base.files)), None)
    if path is None:
        return None
    with opened(next(read_messages(path))) as handle:
        return read_grid(handle)


def grid_of_truth(settings: Settings) -> Grid | None:
    """The grid of the first field of an external truth; None if there is no field at all."""
    # Here, since other runs do not need it.
    from stormdraw.external.inputs import first_grid

    for name in settings.variables:
        own = settings.archive.truth_of(name)
        if isinstance(own, ExternalTruth):
            grid = first_grid(own.own_files, own.name, settings.compared_times(), [name])
            if grid is not None:
                return grid
    return None


def _local_grid_of_truth(settings: Settings) -> Grid | None:
    """`grid_of_truth`, read once, where it takes no network."""
    truths = [settings.archive.truth_of(name) for name in settings.variables]
    key = str([one.as_given() for one in truths])
    if key not in _KNOWN:
        local = all(isinstance(t, ExternalTruth) and not is_url(t.own_files.path) for t in truths)
        _KNOWN[key] = grid_of_truth(settings) if local else None
    return _KNOWN[key]


# The grids of external truths, by the settings of these.
_KNOWN: dict[str, Grid | None] = {}


def target_grid(settings: Settings) -> Grid | None:
    """The grid of the fields; None if that of the archive is not known.

    Raises StormdrawError if `fields` asks for more than the archive's grid has.
    """
    archive = archive_grid(settings)
    return None if archive is None else Target.of(settings.fields, archive).grid


def archive_shape(settings: Settings) -> tuple[int, int]:
    """(y, x) of the archive's grid; the base model's whole grid, if it is not known."""
    return (archive_grid(settings) or settings.archive.base_model.grid).shape


def target_shape(settings: Settings) -> tuple[int, int]:
    """(y, x) of the fields; the largest possible if the archive's grid is not known."""
    return _largest_target(settings).grid.shape


def driving_points(settings: Settings) -> int:
    """The points of the grid that what drives a run is kept on; 0 if nothing drives it."""
    driving = settings.archive.driving
    if driving is None:
        return 0
    source = driving_model(driving.model).grid()
    return math.prod(kept_grid(source, _largest_target(settings)).shape)


def _largest_target(settings: Settings) -> Target:
    whole = settings.archive.base_model.grid
    return Target.of(settings.fields, archive_grid(settings) or whole)
