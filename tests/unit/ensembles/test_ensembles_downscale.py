"""Downscaled members, by a network that knows a normal distribution exactly."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from rounding import assert_same_members
from torch import nn

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles import downscale
from stormdraw.ensembles.downscale import Downscaling, write_downscaled
from stormdraw.ensembles.files import Case
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, written_in_parts
from stormdraw.fields.statistics import Statistics
from stormdraw.grids import Grid
from stormdraw.models.checkpoint import load_model, save_model
from stormdraw.models.noise import NoiseSchedule
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import new_model

# 11 x 14 points: blocks of 4 from rows 0, 4 and 7, and from columns 0, 4, 8 and 10.
GRID = HRRR.crop(slice(480, 491), slice(880, 894))
STATE = ["T2M", "U10", "V10"]
INIT = datetime(2026, 6, 1, 6)
LEADS = (1, 2)
MEAN, STD = np.array([290.0, 0.0, 0.0]), np.array([5.0, 2.0, 2.0])
STATISTICS = Statistics(
    tuple(STATE),
    ("identity",) * 3,
    mean=MEAN.astype(np.float32),
    std=STD.astype(np.float32),
    tendency_mean=np.zeros(3, dtype=np.float32),
    tendency_std=np.ones(3, dtype=np.float32),
)
# A pattern within a block whose mean is 0, and what is about it.
PATTERN = torch.tensor([[1.0, -1.0, 1.0, -1.0], [-1.0, 1.0, -1.0, 1.0]]).repeat(2, 1)
SPREAD = 0.3


class Exact(nn.Module):
    """What a perfect network says of N(slope * coarse U10 * PATTERN, spread^2), velocities.

    E[x_0 | x_t] = mu + alpha s^2 / (alpha^2 s^2 + sigma^2) (x_t - alpha mu).
    """

    block = 4

    def __init__(self, schedule: NoiseSchedule, spread: float, slope: float) -> None:
        super().__init__()
        self.schedule, self.spread, self.slope = schedule, spread, slope

    def forward(
        self, noisy: torch.Tensor, coarse: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        alpha = self.schedule.alpha[timestep][:, None, None, None]
        sigma = self.schedule.sigma[timestep][:, None, None, None]
        mean = self.slope * coarse[:, 1, None, None, None] * PATTERN
        gain = alpha * self.spread**2 / (alpha**2 * self.spread**2 + sigma**2)
        clean = mean + gain * (noisy - alpha * mean)
        return alpha * (noisy - alpha * clean) / sigma - sigma * clean


def save(folder: Path, name: str = "T2M", grid: Grid = GRID, **changes: Any) -> Path:
    """A checkpoint of an untrained downscaler of a variable."""
    settings = ModelSettings.model_validate(
        {
            "family": "block_mlp",
            "network": {"block": 4, "hidden": 8},
            "prediction": "v",
            "target": "block",
            "variable": name,
            "noise_schedule": {"timesteps": 50},
            "training": {"epochs": 1, "precision": "float32"},
            **changes,
        }
    )
    path = folder / f"{name}.pt"
    model = new_model(f"blocks_{name.lower()}", 1, settings, STATISTICS)
    save_model(path, f"blocks_{name.lower()}", model, STATISTICS, None, grid)
    return path


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts the perfect network in the place of the trained ones."""

    def replace(spread: float = SPREAD, slope: float = 0.0) -> None:
        def load(*arguments: Any) -> Any:
            trained = load_model(*arguments)
            trained.model.network = Exact(trained.model.formulation, spread, slope)  # type: ignore[attr-defined]
            return trained

        monkeypatch.setattr(downscale, "load_model", load)

    return replace


def write_forecast(path: Path, states: np.ndarray, members: Sequence[str] = ()) -> Path:
    """A file of forecasts from (lead, variable, y, x), or (member, lead, variable, y, x)."""
    leading = {"lead": lead_coordinate(LEADS), "init": init_coordinate(INIT)}
    if members:
        leading = {"member": xr.DataArray(np.array(members), dims="member"), **leading}
    with written_in_parts(path, GRID, leading, {name: name for name in STATE}, {}) as file:
        for k, name in enumerate(STATE):
            file[name][:] = states[..., k, :, :]
    return path


def plane() -> np.ndarray:
    """Fields (lead, variable, y, x) that are planes: a block's mean is the value in its middle."""
    y, x = np.mgrid[:11, :14].astype(float)
    one = np.stack([290.0 + 0.5 * y - 0.3 * x, 0.2 * y + 0.1 * x, 0.0 * y])
    return np.stack([one, one + 1.0])


def draw(
    folder: Path,
    forecast: Path,
    variables: Sequence[str] = ("T2M",),
    leads: Sequence[int] = LEADS,
    only: Sequence[str] | None = None,
    checkpoints: Sequence[Path] | None = None,
    **changes: Any,
) -> xr.Dataset:
    if checkpoints is None:
        checkpoints = [save(folder, name) for name in variables]
    how = Downscaling(**{"members": 4, "run_seed": 1, "steps": 5, **changes})
    case = Case("fine", "downscale", INIT, leads, variables)
    output = folder / "fine.nc"
    write_downscaled(checkpoints, forecast, only, STATE, case, how, output, {"seed": 1})
    with xr.open_dataset(output) as dataset:
        return dataset.load()


def middles(size: int, count: int, points: int) -> np.ndarray:
    """The middle of the block that each point is taken from: the last one ends where the grid does.

    Points beyond the `count` whole blocks are of the last one.
    """
    inside = np.arange(points) < size * count
    return np.where(inside, np.arange(points) // size * size, points - size) + (size - 1) / 2


def test_the_coarse_values_are_those_in_the_middle_of_a_plane(tmp_path, exact) -> None:
    """Without spread a member is the block's mean of T2M plus the pattern times that of U10."""
    exact(spread=1e-4, slope=0.4)
    drawn = draw(tmp_path, write_forecast(tmp_path / "f.nc", plane()))
    y, x = np.meshgrid(middles(4, 2, 11), middles(4, 3, 14), indexing="ij")
    # Rows 8 to 10 are the last three of a block of four, columns 12 and 13 its last two.
    rows = np.where(np.arange(11) < 8, np.arange(11) % 4, np.arange(11) - 7)
    columns = np.where(np.arange(14) < 12, np.arange(14) % 4, np.arange(14) - 10)
    pattern = PATTERN.numpy()[rows[:, None], columns]
    for j in range(2):
        wind = (0.2 * y + 0.1 * x + j) / STD[1]
        expected = 290.0 + 0.5 * y - 0.3 * x + j + STD[0] * 0.4 * wind * pattern
        for member in drawn["T2M"].values[:, j]:
            np.testing.assert_allclose(member, expected, atol=0.01)
    assert drawn.attrs["method"] == "downscale"
    assert drawn.attrs["not_downscaled"] == "U10 V10"
    assert set(drawn.data_vars) == {"T2M"}


def test_block_means_are_kept_and_the_variance_is_right(tmp_path, exact) -> None:
    exact()
    states = plane()
    drawn = draw(tmp_path, write_forecast(tmp_path / "f.nc", states), members=50, steps=20)["T2M"]
    drawn = drawn.values
    assert np.isfinite(drawn).all()
    for row in (0, 4):
        for column in (0, 4, 8):
            block = np.s_[..., row : row + 4, column : column + 4]
            mean = states[:, 0][block].mean(axis=(1, 2))
            got = drawn[block].mean(axis=(2, 3))
            np.testing.assert_allclose(got, np.broadcast_to(mean, got.shape), atol=1e-3)
    # Of white deviations with their own mean taken off 15 parts in 16 are left.
    expected = (SPREAD * STD[0]) ** 2 * 15 / 16
    assert drawn[..., :8, :12].var(axis=0, ddof=1).mean() == pytest.approx(expected, rel=0.06)
    half = draw(tmp_path, tmp_path / "f.nc", members=50, steps=20, noise_amplitude=0.5)[
        "T2M"
    ].values
    assert half[..., :8, :12].var(axis=0, ddof=1).mean() == pytest.approx(expected / 4, rel=0.06)
    # The edges that only an overlapping block reaches are as rough as the rest.
    for edge in (drawn[..., 8:, :], drawn[..., 12:]):
        assert edge.var(axis=0, ddof=1).mean() == pytest.approx(expected, rel=0.1)
    # Members, leads and blocks have noise of their own.
    deviations = drawn - drawn.mean(axis=0)
    parts = [
        deviations[:, j, r : r + 4, c : c + 4].ravel()
        for j in (0, 1)
        for r in (0, 4)
        for c in (0, 4)
    ]
    correlations = np.corrcoef(parts) - np.eye(8)
    assert np.abs(correlations).max() < 0.15


def test_members_of_any_batch_are_the_same_up_to_rounding(tmp_path, monkeypatch) -> None:
    """With the real network, untrained: what it says depends on noise and coarse values."""
    forecast = write_forecast(tmp_path / "f.nc", plane())
    names = ["T2M", "U10"]

    def states(**changes: Any) -> np.ndarray:
        drawn = draw(tmp_path, forecast, names, **changes)
        return np.stack([drawn[name].values for name in names], axis=2)

    together = states(members=3)
    for blocks in (1, 5, 14):
        monkeypatch.setattr(downscale, "blocks_at_once", lambda *_, many=blocks: many)
        assert_same_members(states(members=3), together, names)
    assert_same_members(states(members=2), together[:2], names)
    assert np.abs(states(members=2, run_seed=2) - together[:2]).mean() > 0.1


def test_memory_bounds_the_blocks_of_a_batch(tmp_path) -> None:
    trained = load_model(save(tmp_path), torch.device("cpu"))
    one = downscale.Downscaler("x", trained.model, downscale.Blocks(4, (11, 14)))  # type: ignore[arg-type]
    small, large = (
        downscale.blocks_at_once(one, Downscaling(4, 1, batch_gigabytes=gigabytes))
        for gigabytes in (0.001, 0.002)
    )
    assert 1 < small < 0.001e9 / (4 * 4 * 4)  # a block's fine values alone, in float32
    assert large in (2 * small, 2 * small + 1)
    assert downscale.blocks_at_once(one, Downscaling(4, 1, batch_gigabytes=1e-9)) == 1


def test_members_are_spread_over_those_of_the_reference(tmp_path, exact) -> None:
    exact()
    names = ["nam", "hrrr", "arw"]
    states = np.stack(
        [plane() * 0.0 + np.array([290.0 + k, 0, 0])[:, None, None] for k in range(3)]
    )
    states[1, 1] = np.nan  # the second is absent at the second lead
    states[2, 0, 2, 5, 6] = np.nan  # a point of another variable, in the block from (4, 4)
    forecast = write_forecast(tmp_path / "f.nc", states, names)
    drawn = draw(tmp_path, forecast, members=7)
    means = drawn["T2M"].values[:, 0, :4, :4].mean(axis=(1, 2))
    np.testing.assert_allclose(means, [290, 291, 292, 290, 291, 292, 290], atol=1e-3)
    there = np.isfinite(drawn["T2M"].values)
    assert there[:, 1].all(axis=(1, 2)).tolist() == [k % 3 != 1 for k in range(7)]
    assert not there[[1, 4], 1].any()
    hole = ~there[2, 0]
    # From (4, 4), and what the block from row 7 gives of the rows beyond: it has no such point.
    assert hole[4:8, 4:8].all()
    assert hole.sum() == 16
    assert drawn.attrs["downscaled_forecasts"] == "nam hrrr arw"
    lagged = draw(tmp_path, forecast, members=2, only=["arw", "nam"])
    means = lagged["T2M"].values[:, 0, :4, :4].mean(axis=(1, 2))
    np.testing.assert_allclose(means, [292, 290], atol=1e-3)


def test_members_keep_within_bounds_and_wind_speed_is_derived(tmp_path, exact) -> None:
    exact()
    states = plane()
    states[:, 0] = 332.5
    forecast = write_forecast(tmp_path / "f.nc", states)
    drawn = draw(tmp_path, forecast, STATE)
    assert drawn["T2M"].max() == 333.0
    assert drawn["T2M"].min() < 332.0
    assert 0.2 < drawn.attrs["bounded_share_T2M"] < 0.5
    assert drawn.attrs["bounded_share_U10"] == 0.0
    np.testing.assert_allclose(drawn["WIND10"], np.hypot(drawn["U10"], drawn["V10"]), rtol=1e-6)


def test_what_does_not_fit_is_told_at_the_start(tmp_path) -> None:
    forecast = write_forecast(tmp_path / "f.nc", plane())
    with pytest.raises(StormdrawError, match=r"has forecasts of 1, 2 h, but not of 3 h"):
        draw(tmp_path, forecast, leads=(1, 3))
    other = {"family": "conditional_unet", "target": "residual", "variable": None}
    unet = save(tmp_path, "V10", network={"base_channels": 8}, **other)
    with pytest.raises(StormdrawError, match=r"blocks_v10 does not downscale \(target: residual"):
        draw(tmp_path, forecast, checkpoints=[unet])
    with pytest.raises(StormdrawError, match=r"none of .*U10.pt downscales T2M"):
        draw(tmp_path, forecast, checkpoints=[save(tmp_path, "U10")])
    large = save(tmp_path, network={"block": 12, "hidden": 8})
    with pytest.raises(StormdrawError, match=r"blocks of 12 x 12 points, but .* only 11 x 14"):
        draw(tmp_path, forecast, checkpoints=[large])
    coarser = Grid(GRID.crs, GRID.x[::2], GRID.y[::2])
    with pytest.raises(StormdrawError, match=r"on a grid of 6000 x 6000 m .*have one of 3000"):
        draw(tmp_path, forecast, checkpoints=[save(tmp_path, grid=coarser)])
    assert not (tmp_path / "fine.nc").exists()


def test_a_network_that_diverged(tmp_path, exact) -> None:
    exact(spread=float("nan"))
    with pytest.raises(
        StormdrawError, match=r"drew values that are not numbers at 2026060106 \+ 1"
    ):
        draw(tmp_path, write_forecast(tmp_path / "f.nc", plane()))
