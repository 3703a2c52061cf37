"""Rollouts of models whose variables have roles: what is fed back, and nothing from the future."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.diffusion import Sampling, write_diffusion
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.one_step import forecast, write_one_step
from stormdraw.ensembles.perturbed import Perturbing, write_def
from stormdraw.ensembles.rollout import BoundsTally, Inputs, Rollout, read_initial, roll_out
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.statistics import Statistics
from stormdraw.models.checkpoint import TrainedModel, save_model
from stormdraw.models.forcings import Forcings, forcings_of
from stormdraw.models.forcings.forcing import Forcing, ForecastHour
from stormdraw.models.one_step import OneStepModel
from stormdraw.models.settings import ModelSettings
from stormdraw.models.stored_states import StoredStates
from stormdraw.models.trained_grid import TrainedGrid
from stormdraw.models.training import new_model
from stormdraw.roles import Roles
from stormdraw.times import format_init, hourly, hours

CPU = torch.device("cpu")
GRID = HRRR.crop(slice(500, 516), slice(900, 916))
NAMES = ("T2M", "CAPE", "D2M")
ROLES = Roles(predicted=("T2M",), diagnosed=("CAPE",), input=("D2M",))
STATISTICS = Statistics(
    *(NAMES, ("identity", "signed_sqrt", "identity")),
    mean=np.float32([290, 5, 280]),
    std=np.float32([10, 12, 4]),
    tendency_mean=np.float32([0.5, 0, 0]),
    tendency_std=np.float32([2, 1, 1]),
)
START = datetime(2026, 6, 1)
INIT = START + hours(3)
LEADS = (1, 2, 4)
CASE = Case("s", "one_step", INIT, LEADS, ROLES.forecast, ROLES.diagnosed, ROLES.input)

DETERMINISTIC = {"family": "cnn_transformer", "network": {"channels": [32, 32], "layers": 1}}
KINDS: dict[str, dict[str, Any]] = {
    "one_step": {"family": "stochastic_unet", "loss": {"kind": "almost_fair_crps"}},
    "deterministic": {**DETERMINISTIC, "history": 2},
    "diffusion": {
        **{"family": "conditional_unet", "network": {"base_channels": 8}, "prediction": "v"},
        "noise_schedule": {"timesteps": 20},
    },
}


def settings(kind: str, **changes: Any) -> ModelSettings:
    common = {"prediction": "target", "target": "residual", "training": {"epochs": 1}}
    given = {**common, **KINDS[kind], "forcings": ["hour_of_day"], **changes}
    if kind == "deterministic":
        given["network"] = {**DETERMINISTIC["network"], "frames": given["history"]}
    return ModelSettings.model_validate(given)


def value(name: str, hour: int) -> np.ndarray:
    """Smooth fields (y, x) that differ from hour to hour."""
    random = np.random.default_rng(sum(map(ord, name)) + hour)
    base = {"T2M": 290.0, "CAPE": 300.0, "D2M": 280.0}[name]
    return (base + random.normal(size=GRID.shape)).astype(np.float32)


def write_day(
    path: Path, changed: Mapping[tuple[str, int], float] | None = None, **incomplete: str
) -> Path:
    """A day file of eight hours; `changed` adds a number to a variable at an hour, and at the hours
    that are `incomplete` the variable of that name has a missing point."""
    times = list(hourly(START, START + hours(7)))
    leading = {"time": xr.DataArray(np.array(times, dtype="datetime64[ns]"), dims="time")}
    notes = {"incomplete_times": " ".join(incomplete.values())}
    with written_in_parts(path, GRID, leading, {name: name for name in NAMES}, notes) as file:
        for name in NAMES:
            file[name].setncattr("incomplete_times", incomplete.get(name, ""))
            for hour in range(8):
                file[name][hour] = value(name, hour) + (changed or {}).get((name, hour), 0.0)
    return path


def save(path: Path, kind: str, run: Roles = ROLES, **changes: Any) -> Path:
    model = new_model(path.stem, 1, settings(kind, **changes), STATISTICS, roles=run)
    save_model(path, path.stem, model, STATISTICS, None, GRID)
    return path


def drawn(folder: Path, day: Path, kind: str, case: Case = CASE) -> np.ndarray:
    """(variable, member, lead, y, x)"""
    output, how = folder / "ensemble.nc", {"members": 2, "run_seed": 1}
    if kind == "diffusion":
        sampling = Sampling(**how, steps=3)
        checkpoint = save(folder / "model.pt", kind)
        write_diffusion(checkpoint, [day], None, case, sampling, output, {})
    elif kind == "def":
        perturbing = settings("diffusion", target="perturbed_state", forcings=[], forecaster="g")
        model = new_model("p", 2, perturbing, STATISTICS, roles=ROLES)
        save_model(folder / "p.pt", "p", model, STATISTICS, None, GRID)
        checkpoints = (folder / "p.pt", save(folder / "g.pt", "deterministic"))
        write_def(checkpoints, Inputs([day], None), case, Perturbing(**how, steps=3), output, {})
    else:
        checkpoint = save(folder / "model.pt", kind)
        write_one_step(checkpoint, [day], None, case, Rollout(**how), output, {})
    with xr.open_dataset(output) as dataset:
        assert set(dataset.data_vars) - {"lambert_conformal"} >= {"T2M", "CAPE"}
        assert "D2M" not in dataset
        return np.stack([dataset[name].values for name in case.variables])


METHODS = [*KINDS, "def"]


@pytest.mark.parametrize("kind", METHODS)
def test_no_member_changes_with_a_field_after_the_initial_time(tmp_path: Path, kind: str) -> None:
    members = drawn(tmp_path, write_day(tmp_path / "day.nc"), kind)
    assert members.shape == (2, 1 if kind == "deterministic" else 2, 3, *GRID.shape)
    assert np.isfinite(members).all()
    later = {(name, hour): 7.0 for name in NAMES for hour in range(4, 8)}
    # Nor with what is diagnosed at the initial time, which a step is not given.
    later[("CAPE", 3)] = 7.0
    same = drawn(tmp_path, write_day(tmp_path / "later.nc", later), kind)
    np.testing.assert_array_equal(same, members)
    # Nor if that is missing: the case is forecast all the same.
    missing = write_day(tmp_path / "missing.nc", {("CAPE", 3): np.nan}, CAPE="2026060103")
    np.testing.assert_array_equal(drawn(tmp_path, missing, kind), members)
    of_input = drawn(tmp_path, write_day(tmp_path / "input.nc", {("D2M", 3): 7.0}), kind)
    assert (np.abs(of_input - members).max(axis=(1, 3, 4)) > 0.0).all()


class ShownChannels(nn.Module):
    """As the change of T2M the input, and as CAPE the age of the input and T2M itself."""

    context, multiple = 0, 1

    def __init__(self) -> None:
        super().__init__()
        # A rollout asks a weight which device it is on.
        self.none = nn.Parameter(torch.zeros(1))

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        """(B, T2M, D2M, age) -> (B, T2M, CAPE)."""
        temperature, dew_point, age = condition.unbind(dim=1)
        return torch.stack([dew_point, age + temperature], dim=1)


def test_a_rollout_worked_by_hand(tmp_path: Path) -> None:
    """The input stays as it was and grows old; what is predicted comes back; what is diagnosed does
    not."""
    day = write_day(tmp_path / "day.nc")
    regressor = ModelSettings.model_validate(
        {
            **{"family": "gnn", "network": {"latent": 8, "layers": 1, "scales": 1}},
            **{"prediction": "target", "target": "residual", "training": {"epochs": 1}},
        }
    )
    model = new_model("m", 1, regressor, STATISTICS, roles=ROLES).eval()
    assert isinstance(model, OneStepModel)
    model.network = ShownChannels()
    trained = TrainedModel("m", model, None, TrainedGrid.of(GRID))
    upper = StoredStates([day], ["D2M"], [INIT], GRID.shape)
    forcings = forcings_of(model, GRID, None, None, upper)
    initial = read_initial([day], ROLES.predicted, INIT, 1)
    assert initial.shape == (1, 1, *GRID.shape)
    found = roll_out(
        *(trained, forecast(model), forcings, initial, CASE, Rollout(1, 1)),
        *(BoundsTally(ROLES.forecast), range(1)),
    )
    states = {LEADS[lead]: state for _, lead, state in found}
    temperature, dew_point = value("T2M", 3).astype(float), value("D2M", 3).astype(float)
    for hour in range(1, 5):
        diagnosed = 5.0 + 12.0 * ((hour - 1) / 12.0 + (temperature - 290.0) / 10.0)
        temperature = temperature + 0.5 + 2.0 * (dew_point - 280.0) / 4.0
        if hour in LEADS:
            np.testing.assert_allclose(states[hour][0], temperature, rtol=1e-6)
            energy = np.maximum(diagnosed * np.abs(diagnosed), 0.0)
            np.testing.assert_allclose(states[hour][1], energy, rtol=1e-4, atol=1e-3)


def test_forcings_of_members_are_given_to_each_its_own() -> None:
    class OfMember(Forcing):
        channels = ("number",)
        by_lead = by_member = True

        def at(self, hour: ForecastHour, window: Any = None) -> np.ndarray:
            number = 100 * hour.member + 10 * hour.lead + hour.init.hour
            return np.full((1, 2, 2), number, np.float32)

    class OfAll(OfMember):
        by_member = False

    one, each = Forcings((2, 2), [OfAll()]), Forcings((2, 2), [OfAll(), OfMember()])
    assert one.for_members(INIT, 2, range(1, 4))[:, :, 0, 0].tolist() == [[123.0]]
    found = each.for_members(INIT, 2, range(1, 4))[:, :, 0, 0].tolist()
    assert found == [[123.0, 123.0], [223.0, 223.0], [323.0, 323.0]]


@pytest.mark.parametrize(
    ("missing", "inputs", "starts"),
    [
        (("T2M", 3), None, False),
        (("T2M", 4), None, True),
        (("D2M", 3), None, False),
        (("D2M", 3), [], True),
        # The model is given inputs of the initial time alone, and states of the hour before.
        (("D2M", 2), None, True),
        (("T2M", 2), None, False),
        (("CAPE", 3), None, True),
    ],
)
def test_a_missing_point_stops_the_models_that_start_from_it(
    tmp_path: Path, missing: tuple[str, int], inputs: list[str] | None, starts: bool
) -> None:
    name, hour = missing
    day = write_day(tmp_path / "day.nc")
    with netCDF4.Dataset(day, "a") as file:
        file[name][hour, 2, 3] = np.nan
        file[name].incomplete_times = format_init(START + hours(hour))
    checkpoint = save(tmp_path / "model.pt", "deterministic", inputs=inputs)
    output = tmp_path / "ensemble.nc"
    write_one_step(checkpoint, [day], None, CASE, Rollout(1, 1), output, {})
    with xr.open_dataset(output) as members:
        assert np.isfinite(members["T2M"]).all() if starts else members["T2M"].isnull().all()
        assert members["CAPE"].isnull().all() != starts
        said = None if starts else f"the initial state of 2026-06-01 0{hour} UTC has missing points"
        assert members.attrs.get("missing") == said


def test_a_lead_longer_than_those_learnt_from_is_refused_in_one_line(tmp_path: Path) -> None:
    day, path, output = write_day(tmp_path / "day.nc"), tmp_path / "m.pt", tmp_path / "e.nc"
    model = new_model("m", 1, settings("one_step"), STATISTICS, roles=ROLES)
    for longest, fits in [(3, False), (4, True), (None, True)]:
        save_model(path, "m", model, STATISTICS, None, GRID, longest_lead=longest)
        if fits:
            write_one_step(path, [day], None, CASE, Rollout(1, 1), output, {})
            output.unlink()
            continue
        with pytest.raises(StormdrawError) as caught:
            write_one_step(path, [day], None, CASE, Rollout(1, 1), output, {})
        assert str(caught.value) == (
            "system s: the model m learnt from forecasts of up to 3 h, since what it is given ages "
            "with the lead, but the longest lead is 4 h; take shorter leads, or delete its "
            "checkpoint to train again"
        )
        assert not output.exists()


def test_a_checkpoint_of_other_roles_draws_nothing(tmp_path: Path) -> None:
    day = write_day(tmp_path / "day.nc")
    checkpoint = save(tmp_path / "model.pt", "one_step")
    for case in (replace(CASE, inputs=()), replace(CASE, diagnosed=())):
        with pytest.raises(StormdrawError, match=r"trained for predicted T2M; diagnosed CAPE; "):
            write_one_step(checkpoint, [day], None, case, Rollout(2, 1), tmp_path / "out.nc", {})
    assert not (tmp_path / "out.nc").exists()
