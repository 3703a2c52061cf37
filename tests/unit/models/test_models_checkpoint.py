"""model.pt: complete, portable, and refused where it does not fit."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_hours import VARIABLES, make_model_settings, small_grid

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import Statistics, read_statistics
from stormdraw.grids import Grid
from stormdraw.models.checkpoint import load_model, save_model
from stormdraw.models.training import new_model
from stormdraw.roles import Roles

CPU = torch.device("cpu")


@pytest.fixture
def statistics(synthetic: Path) -> Statistics:
    return read_statistics(synthetic / "statistics.nc")


@pytest.fixture
def saved(tmp_path: Path, statistics: Statistics) -> Path:
    model = new_model("small", 5, make_model_settings(), statistics)
    save_model(tmp_path / "model.pt", "small", model, statistics, (1000.0, 250.0), small_grid())
    return tmp_path / "model.pt"


def test_a_saved_model_loads_unchanged(saved: Path, statistics: Statistics) -> None:
    settings = make_model_settings()
    original = new_model("small", 5, settings, statistics)
    trained = load_model(saved, CPU, Roles(predicted=VARIABLES))
    assert (trained.name, trained.terrain) == ("small", (1000.0, 250.0))
    assert trained.model.settings == settings
    assert trained.model.variables == VARIABLES
    assert not trained.model.training
    state = torch.rand(1, 3, 13, 10) * 300
    forcings, timestep = torch.rand(1, 4, 13, 10), torch.tensor([7])
    condition = original.condition(state, forcings)
    assert torch.equal(trained.model.condition(state, forcings), condition)
    torch.testing.assert_close(
        trained.model.network(state / 300, condition, timestep),
        original.network(state / 300, condition, timestep),
    )


def test_holds_nothing_but_numbers_strings_and_tensors(saved: Path) -> None:
    content = torch.load(saved, weights_only=True)
    assert set(content) == {
        "format",
        "name",
        "state_dict",
        "settings",
        "variables",
        "roles",
        "statistics",
        "driving",
        "terrain",
        "grid",
        "longest_lead",
        "code",
        "record",
    }
    assert all(value.device == CPU for value in content["state_dict"].values())
    # Only weights: schedule and normalisation follow from the settings and statistics.
    assert all(key.startswith("network.") for key in content["state_dict"])


def test_seed_and_name_determine_the_initial_weights(statistics: Statistics) -> None:
    def first(name: str, seed: int) -> torch.Tensor:
        return new_model(name, seed, make_model_settings(), statistics).network.enter.weight

    state = torch.get_rng_state()
    assert torch.equal(first("small", 5), first("small", 5))
    assert not torch.equal(first("small", 5), first("small", 6))
    assert not torch.equal(first("small", 5), first("large", 5))
    assert torch.equal(torch.get_rng_state(), state)


def test_other_variables_are_an_error(saved: Path) -> None:
    with pytest.raises(StormdrawError, match=r"trained for T2M, D2M, CAPE, but .* are T2M, D2M;"):
        load_model(saved, CPU, Roles(predicted=("T2M", "D2M")))


def edited(path: Path, edit: Callable[[dict], None]) -> Path:
    """A copy of a checkpoint, changed."""
    content = torch.load(path, weights_only=True)
    edit(content)
    torch.save(content, path.with_name("edited.pt"))
    return path.with_name("edited.pt")


def test_weights_of_another_network_are_an_error(saved: Path) -> None:
    path = edited(saved, lambda content: content["state_dict"].pop("network.enter.weight"))
    with pytest.raises(StormdrawError, match="do not fit the family conditional_unet") as error:
        load_model(path, CPU)
    assert "\n" not in str(error.value)


def test_a_newer_format_is_an_error(saved: Path) -> None:
    with pytest.raises(StormdrawError, match=r"format 99, which a newer .* reads 3 and 4; delete"):
        load_model(edited(saved, lambda content: content.update(format=99)), CPU)


def test_a_format_that_is_no_longer_read_is_an_error(saved: Path) -> None:
    def older(content: dict) -> None:
        content["format"] = 1
        del content["grid"]

    with pytest.raises(StormdrawError, match=r"format 1; this version reads 3 and 4; delete"):
        load_model(edited(saved, older), CPU)


def test_a_file_of_another_program_is_an_error(saved: Path) -> None:
    with pytest.raises(StormdrawError, match="not a checkpoint of stormdraw"):
        load_model(edited(saved, lambda content: content.pop("format")), CPU)


def test_the_format_before_there_was_a_record_is_read(saved: Path) -> None:
    def older(content: dict) -> None:
        content["format"] = 3
        del content["record"]

    assert load_model(edited(saved, older), CPU).model.variables == VARIABLES


def test_the_grid_it_was_trained_on(saved: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Spacings and projection are the model's; where on that map it is used is the user's."""
    trained, grid = load_model(saved, CPU).grid, small_grid()
    assert (trained.spacing, trained.shape) == ((3000.0, 3000.0), (13, 10))
    trained.check(grid, "small")
    # Coordinates that come from a file are rounded.
    trained.check(Grid(grid.crs, np.add(grid.x, 0.4), np.add(grid.y, -0.4)), "small")
    assert not caplog.records
    next_point = Grid(grid.crs, np.add(grid.x, 3000.0), grid.y)
    trained.check(next_point, "small")
    assert len(caplog.records) == 1
    fewer_rows = Grid(grid.crs, grid.x, grid.y[:-1])
    trained.check(fewer_rows, "small")
    assert len(caplog.records) == 2
    shifted = HRRR.crop(slice(600, 640), slice(900, 940))
    trained.check(shifted, "small")
    assert "small was trained on another part of this map: 13 x 10 points" in caplog.text
    # The same map in other words.
    trained.check(Grid(f"{grid.crs} +type=crs", grid.x, grid.y), "small")
    every_second = Grid(grid.crs, grid.x[::2], grid.y[::2])
    with pytest.raises(StormdrawError, match=r"grid of 3000 x 3000 m .* have one of 6000 x 6000 m"):
        trained.check(every_second, "small")
    elsewhere = Grid(grid.crs.replace("lon_0=-97.5", "lon_0=-95.0"), grid.x, grid.y)
    assert elsewhere.crs != grid.crs
    with pytest.raises(StormdrawError, match=r"lon_0=-97.5.*lon_0=-95.0.* delete its model.pt"):
        trained.check(elsewhere, "small")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half a zip"])
def test_a_file_that_is_not_a_checkpoint_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(StormdrawError, match="not a readable checkpoint"):
        load_model(path, CPU)
    with pytest.raises(StormdrawError, match="train the model first"):
        load_model(tmp_path / "none.pt", CPU)


def test_a_truncated_checkpoint_is_an_error(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-1000])
    with pytest.raises(StormdrawError, match="not a readable checkpoint"):
        load_model(saved, CPU)


def test_statistics_keep_their_single_precision(saved: Path, statistics: Statistics) -> None:
    normalization = load_model(saved, CPU).model.normalization
    np.testing.assert_array_equal(normalization.std.flatten().numpy(), statistics.std)
    np.testing.assert_array_equal(
        normalization.tendency_mean.flatten().numpy(), statistics.tendency_mean
    )
