"""Score one case of one system and write its statistics."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import leads_of
from stormdraw.fields.percentiles import Percentiles
from stormdraw.files import replacing
from stormdraw.grids import Grid
from stormdraw.provenance import attributes
from stormdraw.scores import registry
from stormdraw.scores.case_statistics import case_statistics
from stormdraw.scores.ensemble import (
    ensemble_variables,
    initial_time,
    open_ensemble,
    origin,
    without_variables,
)
from stormdraw.scores.points import CommonPoints
from stormdraw.scores.regions import region_masks
from stormdraw.scores.settings import Scores
from stormdraw.scores.truth import Truth
from stormdraw.scores.weights import area_weights, describe_weights


def score_case(
    ensemble_path: Path,
    truth_paths: Sequence[Path],
    output_path: Path,
    run_seed: int,
    scores: Scores | None = None,
    in_common: CommonPoints | None = None,
    percentiles: Percentiles | None = None,
    threads: int = 1,
    may_be_missing: bool = False,
    only: Collection[str] | None = None,
) -> xr.Dataset:
    """Reduce the ensemble at `ensemble_path` to sufficient statistics, write and return them.

    All variables and leads of the ensemble are scored, or `only` some variables, of which it may
    have none. `truth_paths` are the files of fields that contain the valid times. `run_seed` breaks
    ties in ranks. `in_common` holds the leads and points on which all systems are compared; without
    it, the points of this ensemble count. `percentiles` of the training times are needed if a
    threshold is a percentile. A case without any point is an
    error, unless it `may_be_missing` or the ensemble's attribute `missing` gives a reason. Such a
    case contributes nothing.

    Raises StormdrawError if the ensemble has nothing to score, if its grid is not that of the
    truth, and as `Truth` and `case_statistics` do.
    """
    scores = Scores() if scores is None else scores
    with open_ensemble(ensemble_path) as file:
        ensemble = file
        if only is not None:
            ensemble = without_variables(ensemble, set(ensemble_variables(ensemble)) - set(only))
        elif not ensemble_variables(ensemble):
            raise StormdrawError(f"{ensemble_path}: no variable that can be scored")
        init = initial_time(ensemble)
        leads = leads_of(ensemble) if in_common is None else in_common.leads
        truth = Truth(truth_paths, init, leads)
        grid = Grid.of(ensemble)
        if not grid.matches(truth.grid):
            raise StormdrawError(
                f"{ensemble_path}: its grid {grid.shape} is not that of the truth in "
                f"{truth_paths[0]}; make the ensemble anew from these fields"
            )
        try:
            weights = area_weights(grid) if scores.area_weights else np.ones(grid.shape)
            statistics = case_statistics(
                ensemble,
                truth.field,
                weights,
                run_seed,
                scores,
                regions=region_masks(grid, scores.regions),
                in_common=in_common,
                percentiles=percentiles,
                threads=threads,
                may_be_missing=may_be_missing or "missing" in ensemble.attrs,
            )
        except StormdrawError as error:
            raise StormdrawError(f"{ensemble_path}: {error}") from None
        statistics.attrs = _attributes(ensemble, init, grid, run_seed, scores)
    encoding: dict[str, dict] = {"init": {"units": "hours since 1970-01-01", "dtype": "int64"}}
    for name in registry.map_sums():
        if name in statistics:
            encoding[name] = {"zlib": True, "complevel": 1}
    with replacing(output_path) as temporary:
        statistics.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
    return statistics


def _attributes(
    ensemble: xr.Dataset, init: datetime, grid: Grid, run_seed: int, scores: Scores
) -> dict[str, Any]:
    """The attributes of the file: provenance, system, weights, grid and reason for a gap."""
    known = origin(ensemble)
    return {
        **attributes(
            title=f"score statistics of {known['system']} at {init:%Y-%m-%d %H} UTC",
            source=f"{known['system']} ({known['method']}) against the truth",
            settings={"seed": run_seed, "scores": scores.model_dump(mode="json")},
        ),
        **known,
        "area_weights": describe_weights(scores.area_weights),
        "grid_rows": grid.shape[0],
        "grid_columns": grid.shape[1],
        "grid_spacing": grid.spacing[0] * grid.kilometres_a_unit[1] * 1000.0,
    }
