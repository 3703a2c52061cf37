"""Physical laws: closed forms and cases worked by hand."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from synthetic_hours import make_model_settings, make_settings

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import Statistics
from stormdraw.map_factor import map_factor
from stormdraw.models.physics import PhysicalLaws, divergence, specific_humidity
from stormdraw.models.settings import Physics
from stormdraw.models.training import new_model, train
from stormdraw.models.training_files import TrainingFiles
from stormdraw.variables import DEFAULT_STATE, variable

STD = {"REFC": 5.0, "T2M": 2.0, "D2M": 4.0, "U10": 3.0, "V10": 4.0, "CAPE": 10.0, "CIN": 2.0}
REGRESSOR: dict[str, Any] = {
    "family": "gnn",
    "network": {"latent": 8, "layers": 1},
    "prediction": "target",
    "forcings": [],
}


def statistics(*names: str) -> Statistics:
    zeros = np.zeros(len(names), dtype=np.float32)
    std = np.array([STD[name] for name in names], dtype=np.float32)
    return Statistics(names, tuple(variable(n).transform for n in names), zeros, std, zeros, std)


def laws(**weights: float) -> PhysicalLaws:
    """Only the laws with a weight, on all seven variables."""
    none = dict.fromkeys(Physics.model_fields, 0.0)
    return PhysicalLaws(Physics.model_validate({**none, **weights}), statistics(*DEFAULT_STATE))


def state(**values: float) -> torch.Tensor:
    """A lawful state of 4 x 4 points after the transforms, (1, V, 4, 4), but for what is given."""
    lawful = {"T2M": 290.0, "D2M": 280.0} | values
    each = [lawful.get(name, 0.0) for name in DEFAULT_STATE]
    return torch.tensor(each)[None, :, None, None].expand(1, -1, 4, 4).clone()


@pytest.mark.parametrize(
    ("law", "values", "expected"),
    [
        # Half of the points 3 K above the temperature, whose variance is 4 K^2.
        ("dew_point", {"D2M": 293.0}, 0.5 * 9.0 / 4.0),
        # Square roots of the energy, 5 of them below zero, in units of 10.
        ("cape", {"CAPE": -5.0}, 0.5 * 0.25),
        ("cin", {"CIN": 1.0}, 0.5 * 0.25),
        # 15 dBZ below the floor of -10, in units of 5.
        ("reflectivity", {"REFC": -25.0}, 0.5 * 9.0),
    ],
)
def test_bounds_by_hand(law: str, values: dict[str, float], expected: float) -> None:
    wrong, right = state(**values), state()
    wrong[..., :2] = right[..., :2]
    found = laws(**{law: 1.0})(wrong[:, None], right)
    torch.testing.assert_close(found, torch.tensor([[expected]]))
    # Two members, of which one is lawful.
    found = laws(**{law: 1.0})(torch.stack([wrong, right], dim=1), right)
    torch.testing.assert_close(found, torch.tensor([[expected / 2]]))


def test_the_truth_breaks_no_law() -> None:
    every = PhysicalLaws(Physics(), statistics(*DEFAULT_STATE))
    assert set(every.laws) == set(Physics.model_fields)
    at_its_bounds = state(REFC=-10.0, D2M=290.0, CAPE=0.0, CIN=0.0, U10=5.0)
    found = every(at_its_bounds[:, None], at_its_bounds, torch.full((1, 4, 4), 1.01))
    assert torch.equal(found, torch.zeros(1, 6))


@pytest.mark.parametrize("law", Physics.model_fields)
def test_only_points_that_count_can_break_a_law(law: str) -> None:
    # The divergence at a point needs its neighbours, which need not count themselves.
    counts = slice(1, 4), slice(2, 7)
    seen = (slice(0, 5), slice(1, 8)) if law == "mass_divergence" else counts
    torch.manual_seed(1)
    scale = torch.tensor([5.0, 5, 8, 3, 3, 10, 5])[:, None, None]
    offset = state()[0, :, :1, :1] + torch.tensor([-10.0, 0, 8, 0, 0, 0, 0])[:, None, None]
    made, true = offset + scale * torch.randn(2, 2, 3, 7, 9, 9)
    factor = 1.0 + 0.1 * torch.rand(2, 9, 9)
    weights = torch.zeros(2, 9, 9)
    weights[:, *counts] = 0.5
    found = laws(**{law: 1.0})(made, true[:, 0], factor, weights)
    part = laws(**{law: 1.0})(made[..., *seen], true[:, 0, :, *seen], factor[:, *seen])
    assert (part > 0.0).all()
    torch.testing.assert_close(found, part, rtol=1e-4, atol=0)


def test_specific_humidity_by_hand() -> None:
    # At 0 degrees Bolton's vapour pressure is 6.112 hPa.
    expected = 0.622 * 6.112 / (1000.0 - 0.378 * 6.112)
    found = specific_humidity(torch.tensor([273.15], dtype=torch.float64))
    assert found.item() == pytest.approx(expected, rel=1e-9)
    # At 20 degrees the air of 1000 hPa holds 14.7 g/kg (tables of the saturated atmosphere).
    found = specific_humidity(torch.tensor([293.15], dtype=torch.float64))
    assert found.item() == pytest.approx(0.01468, rel=0.005)
    # Nothing overflows where Bolton's formula has its pole.
    assert torch.isfinite(specific_humidity(torch.tensor([29.65, -1e6, 1e6]))).all()


def test_energy_budget_is_over_the_true_area() -> None:
    # One row is 6 K too warm where the map is twice too large: a quarter of the area of the others.
    made, true = state(), state()
    made[:, 1, 0] += 6.0
    factor = torch.ones(1, 4, 4)
    factor[:, 0] = 2.0
    mean = 6.0 * 0.25 / 3.25
    found = laws(moist_energy=1.0)(made[:, None], true, factor)
    torch.testing.assert_close(found, torch.tensor([[mean**2 / 4.0]]), rtol=1e-4, atol=0.0)
    # Members that err to both sides have no error in the mean.
    below = true - (made - true)
    found = laws(moist_energy=1.0)(torch.stack([made, below], dim=1), true, factor)
    torch.testing.assert_close(found, torch.zeros(1, 1), rtol=0, atol=1e-6)


def test_divergence_of_closed_forms() -> None:
    # On a flat map (2 x, 3 y) diverges by 5 everywhere, a rotation (-y, x) not at all.
    y, x = torch.meshgrid(torch.arange(5.0), torch.arange(6.0), indexing="ij")
    flat = torch.ones(5, 6)
    torch.testing.assert_close(divergence(2 * x, 3 * y, flat), torch.full((3, 4), 5.0))
    torch.testing.assert_close(divergence(-y, x, flat), torch.zeros(3, 4))
    # With m = 1 + y / 10 on the map, u = m x leaves m^2; a steady v turns into -v dm/dy.
    m = 1.0 + y / 10.0
    torch.testing.assert_close(divergence(m * x, 0 * y, m), m[1:-1, 1:-1] ** 2)
    torch.testing.assert_close(
        divergence(0 * x, torch.full_like(y, 2.0), m),
        torch.full((3, 4), -0.2),
        rtol=0.02,  # of central differences of 1 / m
        atol=0,
    )


def test_divergence_of_a_wind_along_the_meridians_of_the_sphere() -> None:
    # v towards the pole at one speed: div = -v tan(latitude) / R, whatever the map.
    grid = HRRR.crop(slice(500, 560), slice(890, 910))
    longitude, latitude = (np.radians(angle) for angle in grid.longitude_latitude())
    # On the map meridians lean towards the central one, by the cone's constant times the longitude.
    turn = np.sin(np.radians(38.5)) * (longitude - np.radians(-97.5))
    u, v, m = (torch.tensor(a) for a in (-10 * np.sin(turn), 10 * np.cos(turn), map_factor(grid)))
    expected = -10.0 * np.tan(latitude) / 6371229.0 * 3000.0
    np.testing.assert_allclose(divergence(u, v, m), expected[1:-1, 1:-1], rtol=1e-4)


def test_mass_divergence_of_two_winds() -> None:
    made, true = state(), state()
    made[0, 3] = 2.0 * torch.arange(4.0)  # 2 m/s a grid length too much
    found = laws(mass_divergence=1.0)(made[:, None], true)
    torch.testing.assert_close(found, torch.tensor([[4.0 / (9.0 + 16.0)]]))


def test_laws_without_their_variables_are_left_out() -> None:
    assert PhysicalLaws(Physics(), statistics("T2M", "D2M", "CAPE")).laws == (
        *("cape", "dew_point", "moist_energy"),
    )
    with pytest.raises(StormdrawError, match=r"no law .*\(T2M\).*remove physics"):
        PhysicalLaws(Physics(), statistics("T2M"))


def test_violations_are_part_of_the_objective() -> None:
    settings = make_model_settings(target="next_state", physics={"cape": 3.0}, **REGRESSOR)
    model = new_model("x", 0, settings, statistics("T2M", "D2M", "CAPE"))
    losses = torch.rand(2, 3)
    assert model.objective(losses) == losses.mean()
    model.violations = torch.tensor([[1.0, 0.0, 0.0], [2.0, 1.0, 4.0]])
    expected = losses.mean() + (3.0 + (6.0 + 1.0 + 0.4)) / 2
    torch.testing.assert_close(model.objective(losses), expected)


def test_physics_with_diffusion_is_an_error() -> None:
    with pytest.raises(ValueError, match="physics applies to predicted states"):
        make_model_settings(physics={})


def test_training_records_violations(training_files: Callable[[str], TrainingFiles]) -> None:
    files = training_files("one")
    augmentation = {"probability": 1.0, "rotation_probability": 1.0}
    training = {"crop": [8, 8], "epochs": 1, "augmentation": augmentation}
    settings = make_model_settings(training, target="residual", physics={}, **REGRESSOR)
    train("small", make_settings(), settings, files)
    (epoch,) = json.loads(files.metrics.read_text())["epochs"]
    assert set(epoch["physics_violations"]) == {"cape", "dew_point", "moist_energy"}
    assert epoch["physics_violations"]["moist_energy"] > 0.0
