"""Rollouts of driven models: which forecast drives each hour, and nothing published too late."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from driving_files import forecasts_for, value_of, write_driving_files

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.driving_registry import driving_model
from stormdraw.archive.driving_schedule import DrivingForecast, Schedule
from stormdraw.ensembles.diffusion import Sampling, write_diffusion
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.one_step import write_one_step
from stormdraw.ensembles.perturbed import Perturbing, write_def
from stormdraw.ensembles.rollout import Inputs, Rollout
from stormdraw.errors import StormdrawError
from stormdraw.fields.driving import DrivingReader
from stormdraw.fields.driving_statistics import DrivingStatistics
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.statistics import Statistics
from stormdraw.models.checkpoint import load_model, save_model
from stormdraw.models.driving import RunDriving
from stormdraw.models.forcings import Forcings, ForecastHour
from stormdraw.models.forcings.driving_fields import DrivingFields
from stormdraw.models.settings import DrivenBy, ModelSettings
from stormdraw.models.training import new_model
from stormdraw.times import hourly, hours

GRID = HRRR.crop(slice(500, 516), slice(900, 916))
NAMES = ("T2M", "D2M")
DRIVING = ("T2M", "PWAT")
STATISTICS = Statistics(
    *(NAMES, ("identity", "identity")),
    mean=np.float32([290, 280]),
    std=np.float32([10, 4]),
    tendency_mean=np.float32([0.5, 0]),
    tendency_std=np.float32([2, 1]),
)
OF_DRIVING = DrivingStatistics(
    DRIVING, ("identity", "identity"), np.float32([300, 400]), np.float32([20, 50])
)
INIT = datetime(2026, 6, 8, 9)
LEADS = (1, 2, 4)
CASE = Case("s", "one_step", INIT, LEADS, NAMES)
SCHEDULE = Schedule(driving_model("gfs"), 5, max(LEADS))
GEFS = Schedule(driving_model("gefs"), 5, max(LEADS), run_seed=2)
BY = DrivenBy(model="gfs", latency_hours=5, variables=DRIVING)

KINDS: dict[str, dict[str, Any]] = {
    "one_step": {"family": "stochastic_unet", "loss": {"kind": "almost_fair_crps"}},
    "deterministic": {"family": "gnn", "network": {"latent": 8, "layers": 1, "scales": 1}},
    "diffusion": {
        **{"family": "conditional_unet", "network": {"base_channels": 8}, "prediction": "v"},
        "noise_schedule": {"timesteps": 20},
    },
}


def settings(kind: str, **changes: Any) -> ModelSettings:
    common = {"prediction": "target", "target": "residual", "training": {"epochs": 1}}
    driven = {"forcings": ["driving"], "driven_by": BY.model_dump()}
    return ModelSettings.model_validate({**common, **driven, **KINDS[kind], **changes})


def write_day(path: Path) -> Path:
    times = [INIT]
    leading = {"time": xr.DataArray(np.array(times, dtype="datetime64[ns]"), dims="time")}
    random = np.random.default_rng(1)
    with written_in_parts(path, GRID, leading, {name: name for name in NAMES}, {}) as file:
        for name, base in zip(NAMES, (290.0, 280.0), strict=True):
            file[name][0] = base + random.normal(size=GRID.shape)
    return path


def save(path: Path, kind: str, **changes: Any) -> Path:
    own = settings(kind, **changes)
    model = new_model(path.stem, 1, own, STATISTICS)
    save_model(path, path.stem, model, STATISTICS, None, GRID, OF_DRIVING if own.driven else None)
    return path


def driving(folder: Path, changed: Any = lambda one: 0.0, **attributes: str) -> RunDriving:
    """What drives the run, with files of all cycles of two days."""
    inits = list(hourly(INIT - hours(24), INIT + hours(12)))
    driven = [SCHEDULE.hour(init, lead) for init in inits for lead in range(1, max(LEADS) + 1)]
    forecasts = forecasts_for(SCHEDULE, driven)
    paths = write_driving_files(folder, GRID, DRIVING, forecasts, changed, **attributes)
    return RunDriving(BY, SCHEDULE, tuple(paths))


def drawn(folder: Path, kind: str, driven: RunDriving | None, **changes: Any) -> np.ndarray:
    """(variable, member, lead, y, x)"""
    output, how = folder / "ensemble.nc", {"members": 2, "run_seed": 1}
    day = write_day(folder / "day.nc")
    if kind == "diffusion":
        files = (save(folder / "model.pt", kind, **changes), [day], None)
        write_diffusion(*files, CASE, Sampling(**how, steps=3), output, {}, 1, driven)
    elif kind == "def":
        own = {"target": "perturbed_state", "forcings": [], "driven_by": None, "forecaster": "g"}
        checkpoints = (
            save(folder / "p.pt", "diffusion", **own),
            save(folder / "g.pt", "deterministic", **changes),
        )
        perturbing = Perturbing(**how, steps=3)
        write_def(checkpoints, Inputs([day], None, driven), CASE, perturbing, output, {})
    else:
        files = (save(folder / "model.pt", kind, **changes), [day], None)
        write_one_step(*files, CASE, Rollout(**how), output, {}, 1, driven)
    with xr.open_dataset(output) as dataset:
        return np.stack([dataset[name].values for name in NAMES])


METHODS = [*KINDS, "def"]


@pytest.mark.parametrize("kind", METHODS)
def test_no_member_changes_with_what_was_published_after_the_initial_time(
    tmp_path: Path, kind: str
) -> None:
    members = drawn(tmp_path, kind, driving(tmp_path / "driving"))
    assert np.isfinite(members).all()

    def published_later(one: DrivingForecast) -> float:
        return 50.0 if one.cycle + hours(5) > INIT else 0.0

    same = drawn(tmp_path, kind, driving(tmp_path / "later", published_later))
    np.testing.assert_array_equal(same, members)
    # The newest cycle that was published in time drives every lead.
    newest = datetime(2026, 6, 8, 0)
    for lead in LEADS:
        own = DrivingForecast(newest, 0, 9 + lead)
        other = driving(tmp_path / f"{lead}", lambda one, own=own: 50.0 * (one == own))
        differ = np.abs(drawn(tmp_path, kind, other) - members).max(axis=(0, 1, 3, 4)) > 0.0
        assert differ.tolist() == [later >= lead for later in LEADS]


def test_without_driving_members_are_equal_to_the_digit_in_a_run_that_has_it(
    tmp_path: Path,
) -> None:
    alone = {"forcings": [], "driven_by": None}
    for kind in METHODS:
        members = drawn(tmp_path, kind, None, **alone)
        np.testing.assert_array_equal(
            drawn(tmp_path, kind, RunDriving(BY, SCHEDULE), **alone), members
        )


def test_a_cycle_that_was_not_published_at_the_initial_time_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven = driving(tmp_path / "driving")
    # As if a cycle were known the moment it starts.
    early = Schedule(SCHEDULE.model, 0, SCHEDULE.longest_lead)
    hour = early.hour(INIT, 1)
    monkeypatch.setattr(Schedule, "hour", lambda *asked: hour)
    with pytest.raises(StormdrawError, match="published at 2026-06-08 11 UTC and so must not"):
        drawn(tmp_path, "one_step", driven)
    assert not (tmp_path / "ensemble.nc").exists()


def test_the_channels_of_an_hour_are_those_of_its_forecast_and_its_age(tmp_path: Path) -> None:
    fields = DrivingFields(OF_DRIVING, driving(tmp_path).reader())
    assert fields.channels == ("driving_T2M", "driving_PWAT", "age_of_driving_fields")
    assert (fields.by_lead, fields.by_member) == (True, False)
    for lead in (1, 4):
        found = fields.at(ForecastHour(INIT, lead, 7), (slice(0, 3), slice(2, 4)))
        assert found.shape == (3, 3, 2)
        one = DrivingForecast(datetime(2026, 6, 8, 0), 0, 9 + lead)
        expected = [(value_of(one) - 300) / 20, (value_of(one, 1) - 400) / 50, (9 + lead) / 24]
        assert found[:, 0, 0].tolist() == pytest.approx(expected, rel=1e-5)


def test_with_gefs_each_member_has_its_own_and_training_one_of_the_cycle(tmp_path: Path) -> None:
    # The cycle of 00 UTC: the hour is 10 h after it, between the leads 9 and 12.
    every = [GEFS.hour(INIT, 1, member) for member in range(30)]
    paths = write_driving_files(tmp_path, GRID, DRIVING, forecasts_for(GEFS, every))
    fields = DrivingFields(OF_DRIVING, DrivingReader(paths, DRIVING, GEFS))
    assert fields.by_member
    forcings = Forcings(GRID.shape, [fields])
    found = forcings.for_members(INIT, 1, [0, 29, 30, 41])[:, 0, 0, 0]
    between = [
        value_of(DrivingForecast(datetime(2026, 6, 8, 0), member, 10)) for member in (1, 30, 1, 12)
    ]
    assert found.tolist() == pytest.approx([(value - 300) / 20 for value in between], rel=1e-5)
    learnt = fields.at(ForecastHour.at(INIT + hours(1)))[0, 0, 0]
    chosen = GEFS.training_member(datetime(2026, 6, 8, 0))
    assert chosen != 1
    value = value_of(DrivingForecast(datetime(2026, 6, 8, 0), chosen, 10))
    assert learnt == pytest.approx((value - 300) / 20, rel=1e-5)


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("absent_forecasts", "has no driving forecast 2026060800+011"),
        ("incomplete_times", "points"),
    ],
)
def test_a_case_without_what_drives_it_has_missing_members(
    tmp_path: Path, attribute: str, reason: str
) -> None:
    driven = driving(tmp_path / "driving", **{attribute: "2026060800+011"})
    assert np.isnan(drawn(tmp_path, "one_step", driven)).all()
    with xr.open_dataset(tmp_path / "ensemble.nc") as dataset:
        assert reason in dataset.attrs["missing"]


def test_with_gefs_a_case_lacks_what_drives_any_of_its_members(tmp_path: Path) -> None:
    every = [GEFS.hour(INIT, lead, member) for lead in range(1, 5) for member in range(3)]
    forecasts = forecasts_for(GEFS, every)
    lacking = DrivingForecast(datetime(2026, 6, 8, 0), 2, 12)
    assert lacking in forecasts
    paths = write_driving_files(
        *(tmp_path / "driving", GRID, DRIVING, forecasts), absent_forecasts=str(lacking)
    )
    by = BY.model_copy(update={"model": "gefs"})
    driven, own = RunDriving(by, GEFS, tuple(paths)), {"driven_by": by.model_dump()}
    checkpoint = save(tmp_path / "model.pt", "deterministic", **own)
    files = (checkpoint, [write_day(tmp_path / "day.nc")], None)
    for members, missing in ((range(1), False), (range(2), True), (range(2, 3), False)):
        output, how = tmp_path / f"{members}.nc", Rollout(3, 1, chosen=members)
        write_one_step(*files, CASE, how, output, {}, 1, driven)
        with xr.open_dataset(output) as dataset:
            assert ("missing" in dataset.attrs) == missing
            assert bool(dataset["T2M"].isnull().all()) == missing


def test_a_checkpoint_says_what_drives_it_and_is_refused_elsewhere(tmp_path: Path) -> None:
    checkpoint, cpu = save(tmp_path / "model.pt", "one_step"), torch.device("cpu")
    content = torch.load(checkpoint, weights_only=True)
    assert content["settings"]["driven_by"] == BY.model_dump(mode="json")
    assert content["driving"]["mean"] == [300.0, 400.0]
    assert content["driving"]["std"] == [20.0, 50.0]
    trained = load_model(checkpoint, cpu, driving=RunDriving(BY, SCHEDULE))
    assert trained.driving is not None
    assert trained.driving.variables == DRIVING
    others = {"model": "gefs", "latency_hours": 6, "variables": ("T2M",)}
    for key, other in others.items():
        by = BY.model_copy(update={key: other})
        with pytest.raises(StormdrawError, match=r"driven by gfs 5 h .*, but the run has") as found:
            load_model(checkpoint, cpu, driving=RunDriving(by, SCHEDULE))
        assert "\n" not in str(found.value)
    with pytest.raises(StormdrawError, match="but the run has no driving model; give archive"):
        load_model(checkpoint, cpu)


def test_fields_kept_in_memory_are_those_of_the_files(tmp_path: Path) -> None:
    reader, held = driving(tmp_path).reader(), driving(tmp_path).reader()
    hour, window = SCHEDULE.hour(INIT, 2), (slice(2, 7), slice(3, 14))
    size = 4 * len(DRIVING) * GRID.shape[0] * GRID.shape[1]
    assert held.hold([hour], size - 1) == 0
    assert held.hold([hour, hour], size) == size
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError):
        reader.read(hour)
    assert held.read(hour)[:, 0, 0].tolist() == [
        value_of(hour.forecast, place) for place in range(2)
    ]
    out = np.zeros((2, 5, 11), np.float32)
    assert held.read(hour, out, window) is out
    # What a reader of them changes is its own.
    held.read(hour)[:] = 0.0
    assert (held.read(hour) > 0.0).all()
    assert (out > 0.0).all()
