"""Score one case of one system against reports of stations.

results/scores/stations/{system}/{init}.nc holds what each station adds to the scores, with dims
(variable, lead, station). Sums over any stations and cases are formed from it
(`stormdraw.scores.stations.systems`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.percentiles import Percentiles
from stormdraw.files import replacing
from stormdraw.grids import Grid
from stormdraw.provenance import attributes
from stormdraw.scores.ensemble import ensemble_variables, initial_time, open_ensemble, origin
from stormdraw.scores.score import Arrays
from stormdraw.scores.stations.forecasts import AtStations
from stormdraw.scores.stations.places import Places, places_of
from stormdraw.scores.stations.reports import Reports
from stormdraw.scores.stations.settings import StationScores
from stormdraw.scores.stations.values import NONE, VALUES, station_scores
from stormdraw.scores.threshold import Limit, Threshold, limits_of
from stormdraw.seeds import generator_for
from stormdraw.times import format_init
from stormdraw.variables import other_components

# Coordinates of stations, with their units.
_PLACE = {"latitude": "degrees_north", "longitude": "degrees_east", "elevation": "m"}


def score_stations(
    ensemble_path: Path,
    report_paths: Sequence[Path],
    output_path: Path,
    run_seed: int,
    leads: Sequence[int],
    scores: StationScores,
    thresholds: Mapping[str, Sequence[Threshold]],
    static_path: Path | None = None,
    percentiles: Percentiles | None = None,
) -> xr.Dataset:
    """Score the ensemble at `ensemble_path` at stations, write and return what each adds.

    All variables that both the ensemble and the reports have are scored. `report_paths` are the
    tables of the days of the valid times. `thresholds` are by variable; `percentiles` of the
    training times are needed if one is a percentile. `static_path` is the file of static fields, if
    the run has any.

    Raises StormdrawError as `Reports`, `places_of`, `AtStations` and `Percentiles` do.
    """
    with open_ensemble(ensemble_path) as ensemble:
        init = initial_time(ensemble)
        reports = Reports(report_paths, init, leads)
        names = [name for name in ensemble_variables(ensemble) if name in reports.variables]
        places = places_of(reports.stations, Grid.of(ensemble), static_path)
        forecasts = AtStations(ensemble, places, scores.lapse_rates)
        blocks: list[Arrays] = []
        try:
            for name in names:
                limits = _limits(name, thresholds.get(name, []), forecasts, percentiles)
                error = scores.observation_error.get(name, 0.0)
                for lead in leads:
                    forecast = forecasts.forecast(name, lead)
                    observed = reports.at(name, lead, places.stations["station"].tolist())
                    random = generator_for(
                        run_seed, "observation error", format_init(init), name, lead
                    )
                    blocks.append(station_scores(forecast, observed, limits, error, random))
        except StormdrawError as wrong:
            raise StormdrawError(f"{ensemble_path}: {wrong}") from None
        dataset = _assembled(blocks, names, list(leads), places, scores, thresholds)
        dataset = dataset.assign_coords(init=ensemble["init"].reset_coords(drop=True))
        dataset.attrs = _attributes(ensemble, format_init(init), run_seed, scores)
    encoding: dict[str, dict] = {
        str(name): {"zlib": True, "complevel": 1}
        for name in dataset.data_vars
        if dataset[name].dtype.kind in "fi" and "station" in dataset[name].dims
    }
    encoding["init"] = {"units": "hours since 1970-01-01", "dtype": "int64"}
    with replacing(output_path) as temporary:
        dataset.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
    return dataset


def station_thresholds(thresholds: Mapping[str, Sequence[Threshold]]) -> dict[str, list[Threshold]]:
    """The thresholds that are scored at stations, by variable.

    Components of a wind have no percentiles there: those of the climatology are along the axes of
    the grid, and reports along the compass.
    """
    return {
        name: [one for one in own if not (one.percentile and name in other_components())]
        for name, own in thresholds.items()
    }


def _limits(
    name: str,
    thresholds: Sequence[Threshold],
    forecasts: AtStations,
    percentiles: Percentiles | None,
) -> list[Limit]:
    """The values of the thresholds of a variable at the stations."""

    def percentile(number: float) -> np.ndarray:
        if percentiles is None:
            raise ValueError(f"{name} has the percentile {number:g}, and no file of them was given")
        return forecasts.percentile(name, percentiles.field(name, number))

    return limits_of(thresholds, percentile)


def _assembled(
    blocks: Sequence[Arrays],
    names: Sequence[str],
    leads: Sequence[int],
    places: Places,
    scores: StationScores,
    thresholds: Mapping[str, Sequence[Threshold]],
) -> xr.Dataset:
    """Blocks, ordered by variable and lead, as a dataset; lists of thresholds are padded."""
    stations = places.stations
    most = max((len(thresholds.get(name, [])) for name in names), default=0)
    texts = np.full((len(names), most), "", dtype=object)
    for row, name in enumerate(names):
        texts[row, : len(thresholds.get(name, []))] = [own.text for own in thresholds.get(name, [])]
    errors = [scores.observation_error.get(name, 0.0) for name in names]
    values = {
        name: _stacked(name, blocks, (len(names), len(leads)), most)
        for name in dict.fromkeys(key for block in blocks for key in block)
    }
    return xr.Dataset(
        {
            **values,
            "threshold_text": (("variable", "threshold"), texts),
            "observation_error": ("variable", np.array(errors)),
            "dropped_reason": ("dropped", np.array([*places.dropped.values()], dtype=object)),
        },
        coords={
            "variable": np.array(names, dtype=object),
            "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
            "station": stations["station"].to_numpy(object),
            "dropped": np.array([*places.dropped], dtype=object),
            **{
                name: ("station", stations[name].to_numpy(np.float64), {"units": units})
                for name, units in _PLACE.items()
            },
            "terrain": ("station", places.terrain, {"units": "m"}),
        },
    )


def _stacked(
    name: str, blocks: Sequence[Arrays], shape: tuple[int, int], thresholds: int
) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
    """One value of all blocks: dims, array and attributes."""
    first = next(block[name] for block in blocks if name in block)
    dims = {0: (), 1: ("station",), 2: ("threshold", "station")}[first.ndim]
    size = (thresholds, first.shape[1]) if first.ndim == 2 else first.shape
    fill = np.nan if first.dtype.kind == "f" else NONE
    values = np.full((len(blocks), *size), fill, first.dtype)
    for index, block in enumerate(blocks):
        if first.ndim == 2:
            rows = block.get(name, np.empty((0, size[1])))
            values[index, : len(rows)] = rows
        else:
            values[index] = block[name]
    meaning = {"long_name": VALUES[name]} if name in VALUES else {}
    return ("variable", "lead", *dims), values.reshape(*shape, *size), meaning


def _attributes(
    ensemble: xr.Dataset, init: str, run_seed: int, scores: StationScores
) -> dict[str, Any]:
    known = origin(ensemble)
    return known | attributes(
        title=f"{known['system']} of {init} at stations",
        source=f"{known['system']} ({known['method']}) against reports of stations",
        settings={"seed": run_seed, "stations": scores.model_dump(mode="json")},
    )
