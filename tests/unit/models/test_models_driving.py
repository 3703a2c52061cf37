"""Driven models in training: forecasts of the ages that forecasting has, and never later ones."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from driving_files import forecasts_for, value_of, write_driving_files
from synthetic_hours import (
    HOURS,
    START,
    VARIABLES,
    make_model_settings,
    make_settings,
    small_grid,
)

from stormdraw.archive.driving_needs import forecasts_to_learn_from, hours_to_learn_from
from stormdraw.ensembles.models import load_models
from stormdraw.errors import StormdrawError
from stormdraw.fields.driving_statistics import DrivingStatistics, write_driving_statistics
from stormdraw.fields.statistics import Statistics, read_statistics
from stormdraw.grids import Grid
from stormdraw.models.augmentation import Augmenter, Change
from stormdraw.models.batches import ShuffledBatches
from stormdraw.models.checkpoint import load_model
from stormdraw.models.driving import RunDriving, as_driven, driven_by
from stormdraw.models.forcings import channels_of, forcings_of, make_forcings
from stormdraw.models.forcings.driving_fields import AGE, DrivingFields
from stormdraw.models.memory import sampling_bytes
from stormdraw.models.pairs import Pairs, leads_at
from stormdraw.models.plan import plan
from stormdraw.models.settings import ModelSettings
from stormdraw.models.stored_states import StoredStates
from stormdraw.models.training import new_model, train
from stormdraw.models.training_data import fields_among_forcings
from stormdraw.models.training_files import TrainingFiles
from stormdraw.models.training_settings import Augmentation
from stormdraw.roles import Roles
from stormdraw.settings import Settings
from stormdraw.times import hourly, hours

CPU = torch.device("cpu")
NAMES = ("U10", "V10", "T850")
KNOWN = DrivingStatistics(
    NAMES, ("identity",) * 3, np.float32([200, 210, 220]), np.float32([4, 4, 8])
)
LEADS = (1, 6)
NO_INPUTS = StoredStates((), (), (), (13, 10))
PERIODS = {
    "training": {"start": START, "end": START + hours(HOURS - 1)},
    "test": {"start": START + hours(HOURS + 6), "end": START + hours(HOURS + 18)},
}
TIMES = list(hourly(START, START + hours(HOURS - 1)))


def driven_run(**changes: Any) -> Settings:
    driving = {"model": "gfs", "variables": list(NAMES), **changes}
    return make_settings(leads=list(LEADS), periods=PERIODS, archive={"driving": driving})


def files_of(folder: Path, run: Settings) -> list[Path]:
    by = RunDriving.of(run)
    assert by is not None
    forecasts = forecasts_for(by.schedule, hours_to_learn_from(run))
    assert set(forecasts) == forecasts_to_learn_from(run)
    return write_driving_files(folder, small_grid(), NAMES, forecasts)


def fields_of(folder: Path, run: Settings) -> DrivingFields:
    driving = RunDriving.of(run, files_of(folder, run))
    assert driving is not None
    return DrivingFields(KNOWN, driving.reader())


def test_training_shows_the_ages_that_forecasting_has_and_no_analysis(
    synthetic: Path, tmp_path: Path
) -> None:
    fields = fields_of(tmp_path, driven_run())
    forcings = make_forcings([], small_grid(), more=[fields])
    paths = [synthetic / "first.nc", synthetic / "second.nc"]
    pairs = Pairs(paths, VARIABLES, TIMES, forcings, 1e9, longest_lead=max(LEADS))
    shown: dict[Any, Counter[Any]] = {}
    for batch in ShuffledBatches(pairs, 4, 3, "m", samples_per_state=200):
        for valid, channels in zip(batch.times, batch.forcings[:, :, 0, 0].tolist(), strict=True):
            age = round(24 * channels[3])
            shown.setdefault(valid, Counter())[age] += 1
            # Of the cycle that is as old, valid at the hour to predict.
            forecast = next(
                hour.forecast
                for hour in fields.reader.schedule.possible(valid)
                if hour.forecast.lead == age
            )
            assert forecast.valid == valid
            expected = [(value_of(forecast) - 200) / 4, (value_of(forecast, 1) - 210) / 4]
            assert channels[:2] == pytest.approx(expected, rel=1e-4)
    assert sorted(shown) == TIMES[1:]
    for valid, counts in shown.items():
        # A forecast that started `lead` hours before had the newest cycle published by then: of
        # 00, 06, 12 or 18 UTC, at least 5 h before.
        ages = Counter(
            lead + 5 + (valid - hours(lead + 5)).hour % 6 for lead in range(1, max(LEADS) + 1)
        )
        assert set(counts) == set(ages)
        for age, leads in ages.items():
            share = leads / max(LEADS)
            deviation = np.sqrt(200 * share * (1 - share))
            assert abs(counts[age] - 200 * share) <= 4 * deviation


def test_channels_are_counted_once_for_network_and_memory() -> None:
    run, shape = driven_run(), small_grid().shape
    alone = make_model_settings(forcings=["hour_of_day"])
    model = as_driven(make_model_settings(forcings=["driving", "hour_of_day"]), run)
    own = ("hour_sine", "hour_cosine")
    of_driving = ("driving_U10", "driving_V10", "driving_T850", AGE)
    roles = Roles(predicted=VARIABLES)
    assert channels_of(model, roles) == (*own, *of_driving)
    assert channels_of(alone, roles) == own
    assert sampling_bytes(model, roles, shape) > sampling_bytes(alone, roles, shape)
    with_driving, without = (plan("m", run, each, shape) for each in (model, alone))
    bytes_of_driving = 4 * 13 * 10 * len(NAMES) * len(forecasts_to_learn_from(run))
    data = [each["training_bytes"]["data"] for each in (with_driving, without)]
    assert data[0] - data[1] == bytes_of_driving > 0


def test_a_model_learns_the_same_from_disk_and_memory_and_keeps_the_statistics(
    training_files: Callable[[str], TrainingFiles], tmp_path: Path
) -> None:
    run = driven_run()
    write_driving_statistics(KNOWN, tmp_path / "statistics.nc", {})
    driving = files_of(tmp_path / "driving", run)
    weights = []
    for gigabytes in (0.0, 1.0):
        training = {"data_gigabytes": gigabytes, "augmentation": {"probability": 1.0}}
        model = as_driven(make_model_settings(training, forcings=["driving"]), run)
        files = replace(
            training_files(f"driven_{gigabytes}"),
            driving=driving,
            driving_statistics=tmp_path / "statistics.nc",
        )
        train("driven", run, model, files)
        trained = load_model(files.model, CPU, run.roles, RunDriving.of(run))
        assert trained.driving is not None
        assert trained.driving.variables == NAMES
        np.testing.assert_array_equal(trained.driving.mean, KNOWN.mean)
        assert trained.model.settings.driven_by == driven_by(run)
        weights.append(trained.model.state_dict())
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    other = driven_run(variables=["T2M"])
    with pytest.raises(StormdrawError, match="made for U10, V10, T850, but T2M drive the run"):
        train("x", other, as_driven(make_model_settings(forcings=["driving"]), other), files)


def test_driving_winds_turn_and_stretch_with_the_states(tmp_path: Path) -> None:
    run = driven_run()
    fields = fields_of(tmp_path, run)
    model = as_driven(make_model_settings(forcings=["hour_of_day", "driving"]), run)
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    statistics = Statistics(VARIABLES, ("identity",) * 3, zeros, ones, zeros, ones)
    forecaster = new_model("m", 1, model, statistics)
    forced = fields_among_forcings(forecaster, fields)
    assert [first for first, _ in forced] == [2]
    augmenter = Augmenter(Augmentation(noise={}), statistics, None, forced)
    # The hour, a wind of 8 m/s to the east, T850 and the age.
    wind = [(8.0 - 200.0) / 4.0, (0.0 - 210.0) / 4.0, 0.0]
    forcings = torch.tensor([0.1, 0.2, *wind, 0.5])[:, None, None].expand(-1, 3, 3)
    changed = augmenter._changed_forcings(forcings, Change(turns=1, scale=2.0))[:, 1, 1].tolist()
    # A quarter turn to the left, twice as fast: 16 m/s to the north. T850 stays its mean.
    expected = [0.1, 0.2, (0.0 - 200.0) / 4.0, (16.0 - 210.0) / 4.0, 0.0, 0.5]
    assert changed == pytest.approx(expected, abs=1e-5)


def test_a_driven_model_needs_a_driven_run(root: Path, tmp_path: Path) -> None:
    folder = root / "config" / "models"
    text = (folder / "ddpm_ultra_minimal.yaml").read_text()
    path = tmp_path / "small.yaml"
    path.write_text(text.replace("forcings: [", "forcings: [driving, "))
    assert "driving" in path.read_text()
    assert load_models(driven_run(), lambda name: path)["small"].driven_by == driven_by(
        driven_run()
    )
    with pytest.raises(StormdrawError, match="models: small: forcings has driving, but the run"):
        load_models(make_settings(), lambda name: path)
    path.write_text(text + "driven_by: {model: gfs, latency_hours: 5, variables: [T2M]}\n")
    with pytest.raises(StormdrawError, match="driven_by is given, but forcings has no driving"):
        load_models(make_settings(), lambda name: path)


def test_only_the_run_says_what_drives_a_model() -> None:
    run = driven_run()
    model = make_model_settings(forcings=["driving"], driven_by=driven_by(run).model_dump())
    with pytest.raises(StormdrawError, match=r"driven_by is what archive\.driving .*; remove it"):
        as_driven(model, run)


def test_a_driven_model_without_fields_is_an_error(
    training_files: Callable[[str], TrainingFiles], tmp_path: Path
) -> None:
    run = driven_run()
    model, roles = as_driven(make_model_settings(forcings=["driving"]), run), run.roles
    with pytest.raises(ValueError, match="needs driving statistics"):
        train("x", run, model, training_files("x"))
    write_driving_statistics(KNOWN, tmp_path / "statistics.nc", {})
    files = replace(training_files("x"), driving_statistics=tmp_path / "statistics.nc")
    with pytest.raises(StormdrawError, match="no fields of gfs in results/fields/driving"):
        train("x", run, model, files)
    untrained = new_model("x", 1, model, read_statistics(files.statistics), roles=roles)
    with pytest.raises(ValueError, match="needs its driving fields"):
        forcings_of(untrained, small_grid(), None, None, NO_INPUTS)


def test_fields_on_another_grid_drive_nothing(
    training_files: Callable[[str], TrainingFiles], tmp_path: Path
) -> None:
    run = driven_run()
    model = as_driven(make_model_settings(forcings=["driving"]), run)
    statistics = read_statistics(training_files("x").statistics)
    untrained, fields = new_model("x", 1, model, statistics), fields_of(tmp_path, run)
    grid = small_grid()
    assert forcings_of(untrained, grid, None, None, NO_INPUTS, fields).driving is fields
    elsewhere = Grid(grid.crs, tuple(x + 3000.0 for x in grid.x), grid.y)
    with pytest.raises(StormdrawError, match="on another grid than the states; delete it"):
        forcings_of(untrained, elsewhere, None, None, NO_INPUTS, fields)


def test_an_hour_is_not_learnt_at_an_age_of_which_the_forecast_is_missing(tmp_path: Path) -> None:
    run = driven_run()
    by = RunDriving.of(run)
    # For 06 UTC the forecast that started at 05 UTC had the cycle of 00 UTC, published at 05 UTC,
    # and those before it had that of 18 UTC.
    start = START + hours(5)
    every = forecasts_for(by.schedule, hours_to_learn_from(run))
    lacking = next(one for one in every if one.valid == start + hours(1) and one.lead == 6)
    paths = write_driving_files(
        tmp_path, small_grid(), NAMES, [one for one in every if one != lacking]
    )
    reader = replace(by, paths=tuple(paths)).reader()
    forcings = make_forcings([], small_grid(), more=[DrivingFields(KNOWN, reader)])
    assert leads_at(start, forcings, max(LEADS)) == (2, 3, 4, 5, 6)
    assert leads_at(start + hours(1), forcings, max(LEADS)) == (1, 2, 3, 4, 5, 6)


def test_models_that_know_one_state_alone_are_not_driven() -> None:
    block = {"target": "block", "variable": "T2M", "family": "block_mlp", "network": {}}
    for changes in (block, {"target": "perturbed_state", "forecaster": "g"}):
        with pytest.raises(ValueError, match="remove history, forcings and inputs"):
            make_model_settings(**changes, forcings=["driving"])


def test_an_undriven_model_is_as_it_was_in_a_driven_run() -> None:
    model: ModelSettings = make_model_settings()
    assert as_driven(model, driven_run()) is model
    assert as_driven(model, make_settings()) is model
