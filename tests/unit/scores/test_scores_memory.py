"""What scoring is planned to take, against what it takes."""

import tracemalloc
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, written_in_parts
from stormdraw.scores.case import score_case
from stormdraw.scores.case_statistics import case_statistics
from stormdraw.scores.comparison import load_systems
from stormdraw.scores.memory import (
    case_bytes,
    case_megabytes,
    grid_points,
    points_bytes,
    summary_bytes,
)
from stormdraw.scores.missing import missing_data
from stormdraw.scores.overall import overall
from stormdraw.scores.points import CommonPoints, write_points
from stormdraw.scores.summary import by_hour, summarise, tidy_scores
from stormdraw.settings import Settings, load_settings

INIT = datetime(2026, 6, 12)
ROWS, COLUMNS = (400, 540), (700, 900)
GRID = HRRR.crop(slice(*ROWS), slice(*COLUMNS))

# What planned bytes may be over those measured.
ROOM = 1.5


def settings(**changes: Any) -> Settings:
    config = {
        "title": "a part of the grid",
        "periods": {
            "training": {"start": "2026-06-01T00:00", "end": "2026-06-10T23:00"},
            "test": {"start": "2026-06-12T00:00", "end": "2026-06-12T12:00"},
        },
        "leads": [1],
        "archive": {"source": ["aws"]},
        "fields": {"crop": {"rows": list(ROWS), "columns": list(COLUMNS)}},
        "ensembles": {
            "systems": [{"name": "persistence", "method": "baseline", "kind": "persistence"}]
        },
    }
    return load_settings(config | changes)


def peak(job: Callable[[], Any]) -> int:
    """The most bytes that a job holds at once."""
    tracemalloc.start()
    try:
        job()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def write_case(folder: Path, run: Settings, members: int) -> tuple[Path, Path]:
    """An ensemble, of 0 members by mean and spread, and its truth, within all bounds."""
    random = np.random.default_rng(0)

    def field() -> np.ndarray:
        return random.uniform(0.0, 10.0, GRID.shape).astype(np.float32)

    kelvins = np.array([273.0 if name in ("T2M", "D2M") else 0.0 for name in run.variables])
    times = [INIT + timedelta(hours=lead) for lead in run.leads]
    valid = {"time": xr.DataArray(np.array(times, "datetime64[ns]"), dims="time")}
    truth, ensemble = folder / "truth.nc", folder / "ensemble.nc"
    with written_in_parts(truth, GRID, valid, {n: n for n in run.variables}, {}) as file:
        for name, above in zip(run.variables, kelvins, strict=True):
            for index in range(len(times)):
                file[name][index] = field() + above
    if not members:
        names = {f"{name}_{kind}": name for name in run.variables for kind in ("mean", "spread")}
        leading = {"lead": lead_coordinate(run.leads), "init": init_coordinate(INIT)}
        notes = {"system": "trial", "method": "reference"}
        with written_in_parts(ensemble, GRID, leading, names, notes) as file:
            for name in names:
                for index in range(len(times)):
                    file[name][index] = field()
        return ensemble, truth
    case = Case("trial", "diffusion", INIT, run.leads, run.variables)
    with ensemble_file(ensemble, GRID, case, range(members), {}, packed=True) as put:
        for member in range(members):
            for lead in range(len(run.leads)):
                state = np.stack([field() for _ in run.variables])
                put(member, lead, state + kelvins[:, None, None])
    return ensemble, truth


WEST = {"west": -180, "east": 0, "south": 0, "north": 90}


@pytest.mark.parametrize(
    ("members", "changes"),
    [
        (1, {"variables": ["T2M"], "leads": [*range(1, 13)]}),
        (80, {"variables": ["T2M"]}),
        (80, {"variables": ["REFC"]}),
        (80, {"variables": ["U10", "V10"]}),
        (0, {"variables": ["REFC"]}),
        (2, {"variables": ["REFC"], "scores": {"thresholds": {"REFC": [*range(1, 11)]}}}),
        (5, {"variables": ["T2M"], "scores": {"maps": False, "regions": {"a": WEST, "b": WEST}}}),
        (5, {"variables": ["REFC"], "scores": {"regions": dict.fromkeys("abcdefgh", WEST)}}),
        (5, {"variables": ["U10", "V10"], "scores": {"regions": dict.fromkeys("abcdef", WEST)}}),
    ],
)
def test_scoring_a_case_stays_within_the_estimated_memory(
    members: int, changes: dict[str, Any], tmp_path: Path
) -> None:
    run = settings(**changes)
    ensemble, truth = write_case(tmp_path, run, members)

    points = tmp_path / "points.nc"

    def find() -> None:
        write_points([ensemble, ensemble], run.leads, points)

    def score(in_common: bool) -> None:
        agreed = CommonPoints(points) if in_common else None
        score_case(ensemble, [truth], tmp_path / "scores.nc", 0, run.scores, agreed)

    find()
    measured, planned = peak(find), points_bytes(run, [members, members])
    assert measured <= planned
    score(in_common=False)  # loops are compiled by then
    for in_common in (False, True):
        measured, planned = peak(partial(score, in_common)), case_bytes(run, members)
        assert measured <= planned <= ROOM * measured, in_common


def test_the_estimate_for_a_case_of_the_full_grid() -> None:
    """1,905,141 points: two blocks of 100 float32 are 1.52 GB; a single member takes no such."""
    run = settings(fields={})
    assert grid_points(run) == 1059 * 1799
    assert 2200 < case_megabytes(run, 100) < 2700
    assert case_megabytes(run, 1) < 1300
    # Leads come one after the other.
    longer = settings(
        fields={},
        leads=[*range(1, 49)],
        periods={
            "training": {"start": "2026-06-01T00:00", "end": "2026-06-02T00:00"},
            "test": {"start": "2026-06-12T00:00", "end": "2026-06-14T00:00"},
        },
    )
    assert case_bytes(longer, 50) == case_bytes(run, 50)


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ({"fields": {"crop": {"rows": [10, 20], "columns": [0, 30]}}}, 300),
        ({"archive": {"simulated": {"rows": [480, 500], "columns": [880, 910]}}}, 600),
    ],
)
def test_the_estimate_for_a_small_grid_is_small(changes: dict[str, Any], points: int) -> None:
    changes = {"fields": {}, **changes}
    assert grid_points(settings(**changes)) == points
    assert case_megabytes(settings(**changes), 100) <= 502


def test_block_averages_reduce_the_estimate() -> None:
    crop = {"rows": [0, 200], "columns": [0, 200]}
    fine, coarse = (settings(fields={"crop": crop, "coarsen": factor}) for factor in (1, 4))
    assert case_bytes(coarse, 20) == case_bytes(fine, 20) / 16


@pytest.mark.slow
@pytest.mark.parametrize("members", [(20, 20, 20), (60, 1, 10)])
def test_summing_up_stays_within_the_estimated_memory(
    members: tuple[int, ...], tmp_path: Path
) -> None:
    """Spectra are as long as those of the full grid, which no score is made of."""
    baselines = [
        {"name": f"system{k}", "method": "baseline", "kind": "persistence"} for k in (0, 1, 2)
    ]
    run = settings(
        variables=["REFC"],
        leads=[1, 2],
        fields={"crop": {"rows": [400, 412], "columns": [700, 714]}},
        periods={
            "training": {"start": "2026-06-01T00:00", "end": "2026-06-10T23:00"},
            "test": {"start": "2026-06-12T00:00", "end": "2026-06-20T03:00"},
        },
        cases={"every_hours": 24},
        ensembles={"systems": baselines},
        scores={"reference": "system0", "bootstrap_samples": 4000},
    )
    paths = {
        f"system{k}": write_statistics(tmp_path / f"system{k}", run, size)
        for k, size in enumerate(members)
    }

    def sum_up() -> None:
        how = (paths, run.scores, run.seed, run.baselines())
        hours = by_hour(paths, run.scores, run.baselines())
        tidy_scores(*how, summarise(*how), hours)
        missing_data(paths)
        overall(load_systems(paths), run.scores, run.seed)

    sum_up()  # what is imported at first use belongs to the process
    measured, planned = peak(sum_up), summary_bytes(run, members)
    assert measured <= planned <= ROOM * measured


def write_statistics(folder: Path, run: Settings, members: int) -> list[Path]:
    """Score files of all cases of a run: those of one, at other times and with long spectra."""
    folder.mkdir()
    random = np.random.default_rng(members)
    shape = (members, len(run.leads), 12, 14)
    grid = HRRR.crop(slice(400, 412), slice(700, 714))
    coordinates = {"lead": lead_coordinate(run.leads), "init": np.datetime64(INIT, "ns")}
    ensemble = xr.Dataset(
        {
            name: (("member", "lead", "y", "x"), random.uniform(0.0, 60.0, shape))
            for name in run.variables
        },
        coords={**coordinates, **grid.coordinates()},
    )

    def truth(name: str, lead: int) -> np.ndarray:
        return ensemble[name].sel(lead=lead).values[0] + 1.0

    ones = np.ones(grid.shape)
    found = case_statistics(ensemble, truth, ones, 0, run.scores.model_copy(update={"maps": False}))
    spectra = ("spectrum_members", "spectrum_mean", "spectrum_truth")
    long = np.ones((found.sizes["variable"], found.sizes["lead"], 1500))
    found = found.drop_vars(spectra)
    found = found.assign(dict.fromkeys(spectra, (("variable", "lead", "wavenumber"), long)))
    paths = []
    for init in run.initial_times():
        paths.append(folder / f"{init:%Y%m%d%H}.nc")
        found.assign_coords(init=np.datetime64(init, "ns")).to_netcdf(paths[-1], engine="netcdf4")
    return paths
