"""`snakemake forecast`: by the clock, in the folder of the study that trained the model."""

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import xarray as xr
from small_experiment import CONFIG, Experiment, planned

NAMES = ("REFC", "T2M", "D2M", "U10", "V10")


def by_the_clock(now: str, **late: int) -> dict[str, Any]:
    """The configuration of the study with a clock and a place."""
    simulated = {**CONFIG["archive"]["simulated"], "now": now, "late": late}
    return {
        **CONFIG,
        "archive": {**CONFIG["archive"], "simulated": simulated},
        "forecast": {"places": {"Here": {"latitude": 37.45, "longitude": -97.7}}},
    }


@pytest.fixture(scope="module")
def forecast(finished: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """The finished study with a forecast from a case of its test, found by the clock."""
    experiment = finished.copy(tmp_path_factory.mktemp("forecast") / "checkout")
    experiment.configure(by_the_clock("2026-06-02T07:00"))
    run = experiment.snakemake("forecast", "--config", "cycle=latest")
    assert run.returncode == 0, run.stdout
    assert "the newest cycle is 2026-06-02 06 UTC, 1 h old" in run.stdout
    return experiment


def test_members_are_those_of_a_study_of_the_same_case(
    forecast: Experiment, finished: Experiment
) -> None:
    path = "ensembles/small/2026060206.nc"
    with (
        xr.open_dataset(forecast.results / "forecasts" / path) as own,
        xr.open_dataset(finished.results / path) as theirs,
    ):
        for name in NAMES:
            np.testing.assert_array_equal(own[name], theirs[name], err_msg=name)


def test_the_page_stands_beside_its_products(forecast: Experiment) -> None:
    folder = forecast.results / "forecasts" / "2026060206"
    page = (folder / "index.html").read_text()
    assert "From 2026-06-02 06 UTC to 2026-06-02 08 UTC" in page
    assert "Meteogram of Here" in page
    assert {path.name for path in folder.iterdir()} >= {"small.nc", "small.pctl.grib2"}
    with xr.open_dataset(folder / "small.nc") as products:
        assert "T2M_p90" in products
        assert "REFC_neighbourhood_probability_30" in products


def test_nothing_is_done_twice_and_the_study_stays_as_it_was(
    forecast: Experiment, finished: Experiment
) -> None:
    assert planned(forecast, "forecast", "--config", "cycle=latest") == {}
    # Another cycle of the same day takes nothing from the first one.
    both = planned(forecast, "forecast", "--config", "cycle=[2026060205,2026060206]")
    assert both["ensembles_sample"] == 1
    assert "models_train" not in both
    for path in ("models/small/model.pt", "fields/static.nc", "fields/hrrr/20260602.nc"):
        of_study, own = finished.results / path, forecast.results / path
        assert own.read_bytes() == of_study.read_bytes()
        assert own.stat().st_mtime_ns == of_study.stat().st_mtime_ns


def test_the_first_hours_have_a_page_of_their_own_and_members_are_the_same(
    forecast: Experiment, tmp_path: Path
) -> None:
    experiment = forecast.copy(tmp_path / "checkout")
    config = by_the_clock("2026-06-02T07:00")
    config["forecast"] |= {"first_leads": [1], "zarr": True}
    experiment.configure(config)
    # As many as of the job that drew all hours.
    how = ("--config", "cycle=2026060206", "--set-threads", "ensembles_hours=2")
    run = experiment.snakemake("forecast", *how)
    assert run.returncode == 0, run.stdout
    path = "results/forecasts/ensembles/small/2026060206.nc"
    with (
        netCDF4.Dataset(experiment.folder / path) as own,
        netCDF4.Dataset(forecast.folder / path) as whole,
    ):
        for file in (own, whole):
            file.set_auto_maskandscale(False)
        for name in (*NAMES, "WIND10"):
            assert own[name][:].tobytes() == whole[name][:].tobytes(), name
    folder = experiment.results / "forecasts" / "2026060206"
    page, of_hour = folder / "index.html", folder / "hours_001_001" / "index.html"
    assert "From 2026-06-02 06 UTC to 2026-06-02 08 UTC" in page.read_text()
    assert "This page has only +1 h." in of_hour.read_text()
    assert of_hour.stat().st_mtime < page.stat().st_mtime
    with (
        xr.open_dataset(folder / "hours_001_001" / "small.nc") as first,
        xr.open_dataset(folder / "small.nc") as products,
        xr.open_zarr(folder / "small.zarr") as store,
    ):
        np.testing.assert_array_equal(first["REFC_p90"][0], products["REFC_p90"][0])
        xr.testing.assert_identical(store.load(), products.load())
    assert "small.zarr" in page.read_text()
    # Nothing of the stretches stays, and nothing is done twice.
    assert [one.name for one in (experiment.folder / path).parent.iterdir()] == ["2026060206.nc"]
    assert planned(experiment, "forecast", *how[:2]) == {}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["cycle=2026060209"], "cycle=2026060209: none of its 1 files is there"),
        (["cycle=soon"], "soon is not a time"),
        ([], "a forecast needs a cycle: add --config cycle=latest"),
    ],
)
def test_what_cannot_be_forecast_is_said_before_anything_runs(
    forecast: Experiment, arguments: list[str], complaint: str
) -> None:
    config = ["--config", *arguments] if arguments else []
    run = forecast.snakemake("forecast", "-n", *config)
    assert run.returncode != 0
    assert complaint in run.stdout


def test_a_late_cycle_is_said_and_skipped_and_a_place_outside_refused(
    forecast: Experiment,
) -> None:
    forecast.configure(by_the_clock("2026-06-02T09:00", **{"2026-06-02T08:00": 2}))
    run = forecast.snakemake("forecast", "-n", "--config", "cycle=latest")
    assert run.returncode == 0, run.stdout
    assert "skipping the cycle 2026-06-02 08 UTC lacks 1 of 1 files" in run.stdout
    assert "the newest cycle is 2026-06-02 07 UTC, 2 h old" in run.stdout
    config = by_the_clock("2026-06-02T07:00")
    config["forecast"] = {"places": {"Paris": {"latitude": 48.9, "longitude": 2.4}}}
    forecast.configure(config)
    run = forecast.snakemake("forecast", "-n", "--config", "cycle=latest")
    assert run.returncode != 0
    assert "forecast.places.Paris: 48.9, 2.4 is outside the grid" in run.stdout
