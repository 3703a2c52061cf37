"""How much memory scoring takes, from the configuration alone."""

from stormdraw.grids import HRRR
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables

# Python, its libraries and compiled loops.
_PROCESS_BYTES = 600_000_000

# Scores, ranks, sums and summed-area tables at each point, most in float64; and for each region.
_BYTES_PER_POINT = 500
_BYTES_PER_REGION = 32


def scoring_megabytes(settings: Settings) -> int:
    """The most megabytes that scoring one case of any system takes, (member, y, x) by block.

    Two blocks of members are held at once: both components of the wind, or a variable and its
    sorted copy for the probability-matched mean. The truth of all leads is held, and where systems
    lack points, which ones all have.
    """
    members = max(system.most_members(settings) for system in settings.ensembles.systems)
    fields = len(scored_variables(list(settings.variables))) * len(settings.leads)
    regions = 1 + len(settings.scores.regions)
    each = 2 * 4 * members + (4 + 3) * fields + _BYTES_PER_POINT + _BYTES_PER_REGION * regions
    return (_PROCESS_BYTES + each * grid_points(settings)) // 10**6 + 1


def grid_points(settings: Settings) -> int:
    """Points of the grid; of a mirror whose files are crops, at most."""
    if settings.fields.crop is not None:
        bounds = (settings.fields.crop.rows, settings.fields.crop.columns)
    elif settings.archive.source == "simulated":
        bounds = (settings.archive.simulated.rows, settings.archive.simulated.columns)
    else:
        return HRRR.shape[0] * HRRR.shape[1]
    (first_row, last_row), (first_column, last_column) = bounds
    return (last_row - first_row) * (last_column - first_column)
