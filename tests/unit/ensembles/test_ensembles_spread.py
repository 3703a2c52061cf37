"""Departures from the ensemble mean, multiplied."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.fair_crps import fair_crps
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.spread import scale_spread, then_scaled
from stormdraw.errors import StormdrawError
from stormdraw.fields.packing import packing_of

START = datetime(2026, 6, 1)
STATE = ["T2M", "U10", "V10"]
GRID = HRRR.crop(slice(480, 485), slice(880, 886))


def write_ensemble(path: Path, case: Case, values: np.ndarray) -> None:
    """values (member, lead, variable, y, x)"""
    with ensemble_file(path, GRID, case, range(len(values)), {}, {"model": "small"}) as put:
        for k, leads in enumerate(values):
            for j, state in enumerate(leads):
                put(k, j, state)


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_a_factor_flatters_the_fair_crps_as_the_documentation_says(
    factor: float, tmp_path: Path
) -> None:
    """Five members of spread 1 where `factor` is right, at 22,500 independent points.

    A scaled member and the truth differ with a variance of 2 f^2 - (f^2 - 1) / M, right members
    with 2 f^2; two members differ alike. docs/calibration.md has the first term of the series.
    """
    random = np.random.default_rng(1)
    count, grid = 5, HRRR.crop(slice(480, 630), slice(880, 1030))
    case = Case("small", "diffusion", START, [1], ["T2M"])
    members = 280.0 + random.standard_normal((count, *grid.shape)).astype(np.float32)
    truth = 280.0 + factor * random.standard_normal(grid.shape)
    with ensemble_file(tmp_path / "drawn.nc", grid, case, range(count), {}) as put:
        for member, field in enumerate(members):
            put(member, 0, field[None])
    scale_spread(tmp_path / "drawn.nc", {"T2M": {1: factor}}, case, tmp_path / "out.nc", {})
    with xr.open_dataset(tmp_path / "out.nc") as dataset:
        scaled = dataset["T2M"].values[:, 0].reshape(count, -1).astype(np.float64)
    crps = fair_crps(scaled, truth.ravel())
    right = factor / np.sqrt(np.pi)
    apart = np.sqrt(2.0 * (2.0 * factor**2 - (factor**2 - 1.0) / count) / np.pi)
    three_errors = 3.0 * crps.std() / np.sqrt(crps.size)
    assert crps.mean() == pytest.approx(apart - right, abs=three_errors)
    # The rest of the series is less than a tenth of its first term here.
    said = (1.0 - 1.0 / factor**2) / (2 * count)
    assert 1.0 - (apart - right) / right == pytest.approx(said, rel=0.1)
    assert abs(said) * right > 2.0 * three_errors


def test_members_move_about_their_mean_and_stay_within_bounds(tmp_path: Path) -> None:
    variables = ["T2M", "D2M", "U10", "V10", "CAPE"]
    case = Case("small", "diffusion", START, [1, 2], variables)
    centre = np.array([290.0, 289.0, 3.0, 4.0, 10.0], dtype=np.float32)
    values = np.broadcast_to(
        centre[:, None, None] + np.array([-1.0, 0.0, 1.0])[:, None, None, None, None],
        (3, 2, 5, *GRID.shape),
    ).astype(np.float32)
    right = {"T2M": 2.0, "D2M": 4.0, "U10": 0.5}
    factors = {name: {1: 1.0, 2: factor} for name, factor in right.items()}
    with then_scaled(tmp_path / "out.nc", factors, case, {}) as unscaled:
        write_ensemble(unscaled, case, values)
    with xr.open_dataset(tmp_path / "out.nc") as dataset:
        at = {name: dataset[name].values[:, 1, 2, 3].tolist() for name in [*variables, "WIND10"]}
        assert dataset["T2M"].values[:, 0, 2, 3].tolist() == [289.0, 290.0, 291.0]
        assert dataset.attrs["spread_factor_T2M"].tolist() == [1.0, 2.0]
        assert "spread_factor_V10" not in dataset.attrs
        assert dataset.attrs["model"] == "small"
    assert at["T2M"] == [288.0, 290.0, 292.0]
    assert at["D2M"] == [285.0, 289.0, 292.0]  # 293 but for the temperature
    assert at["U10"] == [2.5, 3.0, 3.5]
    assert at["V10"] == [3.0, 4.0, 5.0]  # no factor
    assert at["CAPE"] == [9.0, 10.0, 11.0]
    half_a_step = packing_of("WIND10").step / 2
    np.testing.assert_allclose(at["WIND10"], np.hypot(at["U10"], at["V10"]), atol=half_a_step)
    assert [path.name for path in tmp_path.iterdir()] == ["out.nc"]


def test_without_factors_nothing_is_written_twice(tmp_path: Path) -> None:
    case = Case("small", "diffusion", START, [1], STATE)
    with then_scaled(tmp_path / "out.nc", {}, case, {}) as unscaled:
        assert unscaled == tmp_path / "out.nc"


def test_a_lead_that_was_not_calibrated(tmp_path: Path) -> None:
    case = Case("small", "diffusion", START, [1, 2], STATE)
    write_ensemble(tmp_path / "drawn.nc", case, np.ones((2, 2, 3, *GRID.shape)))
    with pytest.raises(StormdrawError, match="no factor for T2M at 2 h"):
        scale_spread(tmp_path / "drawn.nc", {"T2M": {1: 2.0}}, case, tmp_path / "out.nc", {})
    assert not (tmp_path / "out.nc").exists()
