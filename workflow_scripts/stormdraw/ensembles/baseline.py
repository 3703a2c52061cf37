"""What any model must beat: the present state, the states of the past, and HRRR itself."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.ensembles.climatology import Climatology
from stormdraw.ensembles.files import Case, ensemble_file, why_none_starts, write_missing
from stormdraw.ensembles.forecasts import require_leads
from stormdraw.ensembles.reference import write_reference_members
from stormdraw.errors import StormdrawError
from stormdraw.fields.states import absent_times, incomplete_times, read_grid_of, read_states
from stormdraw.grids import Grid
from stormdraw.times import hours


def write_persistence(
    field_paths: Sequence[Path], case: Case, output: Path, settings: Mapping[str, Any]
) -> None:
    """One member: the state at the initial time, at every lead; missing if the archive lacks it."""
    if case.init in absent_times(field_paths):
        gap = why_none_starts(field_paths, [case.init])
        write_missing(output, field_paths[0], case, [0], settings, gap)
        return
    _, state = next(read_states(field_paths, case.variables, [case.init]))
    with ensemble_file(output, read_grid_of(field_paths[0]), case, [0], settings) as put:
        for j in range(len(case.leads)):
            put(0, j, state)


def write_forecast(forecast: Path, case: Case, output: Path, settings: Mapping[str, Any]) -> None:
    """One member: a deterministic forecast (lead, y, x). A lead without values is missing.

    Raises StormdrawError for a lead beyond the forecast's last.
    """
    with (
        xr.open_dataset(forecast, engine="netcdf4") as dataset,
        ensemble_file(output, Grid.of(dataset), case, [0], settings) as put,
    ):
        require_leads(dataset, case.leads, forecast)
        for j, lead in enumerate(case.leads):
            fields = dataset.sel(lead=lead)
            put(0, j, np.stack([fields[name].values for name in case.variables]))


def write_lagged(
    runs: Path, names: Sequence[str], case: Case, output: Path, settings: Mapping[str, Any]
) -> None:
    """Members: forecasts of runs that started one after the other, the newest first.

    `runs` has the forecasts (member, lead, y, x) of these `names` and perhaps of others. A run is
    missing at leads that it does not reach, and where the archive lacks it.
    """
    write_reference_members(runs, 1, case, output, settings, may_be_missing=True, only=names)


def write_climatology(
    field_paths: Sequence[Path],
    training_times: Sequence[datetime],
    climatology: Climatology,
    case: Case,
    output: Path,
    settings: Mapping[str, Any],
) -> None:
    """Members: the training states at the times that `climatology` chooses for each lead.

    A lead with fewer of them than another has missing members. Hours that the archive lacks, and
    those with masked points, are no members. Raises StormdrawError if no other is left.
    """
    unusable = absent_times(field_paths) | incomplete_times(field_paths)
    usable = [time for time in training_times if time not in unusable]
    if not usable:
        raise StormdrawError(
            f"{case.system}: every training hour is absent or has masked points; choose another "
            "periods.training"
        )
    drawn = [climatology.times(usable, case.init + hours(lead)) for lead in case.leads]
    size = max(len(times) for times in drawn)
    notes = {
        "window_hours": np.int32(climatology.window_hours),
        "season_days": np.int32(climatology.season_days),
    }
    with ensemble_file(
        output, read_grid_of(field_paths[0]), case, range(size), settings, notes
    ) as put:
        for j, times in enumerate(drawn):
            for k, state in enumerate(_padded(field_paths, case.variables, times, size)):
                put(k, j, state)


def _padded(
    paths: Sequence[Path], names: Sequence[str], times: Sequence[datetime], size: int
) -> Iterator[np.ndarray]:
    """The states at `times`, then missing ones up to `size`."""
    state = np.empty(0)
    for _, state in read_states(paths, names, times):
        yield state
    for _ in range(size - len(times)):
        yield np.full_like(state, np.nan)
