"""Pairs of hours, and the order in which they are learnt from."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from synthetic_hours import HOURS, START, VARIABLES, small_grid, write_fields

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import StateReader
from stormdraw.models.batches import OrderedBatches, ShuffledBatches
from stormdraw.models.forcings import make_forcings
from stormdraw.models.pairs import Pairs
from stormdraw.times import hourly, hours

TIMES = list(hourly(START, START + hours(HOURS - 1)))


def make_pairs(
    folder: Path, times: list = TIMES, in_memory: float = 1e9, history: int = 1, readers: int = 1
) -> Pairs:
    forcings = make_forcings(["hour_of_day"], small_grid(), None)
    paths = [folder / "first.nc", folder / "second.nc"]
    return Pairs(paths, VARIABLES, times, forcings, in_memory, history, readers=readers)


def test_a_batch_holds_what_the_files_hold(synthetic: Path) -> None:
    pairs = make_pairs(synthetic)
    assert len(pairs) == HOURS - 1
    batch = pairs.batch([4, 0])
    # Pair 4 goes from 04 UTC, the last hour of the first file, to 05 UTC, the first of the second.
    with xr.open_dataset(synthetic / "first.nc") as first:
        np.testing.assert_array_equal(batch.now[0, 1], first["D2M"][4])
        np.testing.assert_array_equal(batch.now[1, 2], first["CAPE"][0])
        np.testing.assert_array_equal(batch.following[1, 0], first["T2M"][1])
    with xr.open_dataset(synthetic / "second.nc") as second:
        np.testing.assert_array_equal(batch.following[0, 1], second["D2M"][0])
    assert batch.times == (START + hours(5), START + hours(1))
    # Forcings belong to the hour to predict.
    assert batch.forcings[0, 0, 0, 0].item() == pytest.approx(np.sin(2 * np.pi * 5 / 24))
    assert batch.now.dtype == batch.forcings.dtype == torch.float32


def test_pairs_with_a_missing_hour_are_left_out(synthetic: Path) -> None:
    pairs = make_pairs(synthetic, [START + hours(hour) for hour in (0, 1, 3, 4, 5, 40)])
    assert [time.hour for time in pairs.times] == [0, 3, 4]


def test_states_from_disk_equal_those_from_memory(synthetic: Path) -> None:
    size = 4 * HOURS * len(VARIABLES) * 13 * 10
    in_memory = make_pairs(synthetic, in_memory=size)
    from_disk = make_pairs(synthetic, in_memory=size - 1)
    assert (in_memory.bytes, from_disk.bytes) == (size, 0)
    for indices in ([0, 6], [5], [2, 4]):
        one, other = in_memory.batch(indices), from_disk.batch(indices)
        assert torch.equal(one.now, other.now)
        assert torch.equal(one.following, other.following)


@pytest.mark.parametrize("in_memory", [0.0, 1e9])
def test_earlier_hours_come_oldest_first(synthetic: Path, in_memory: float) -> None:
    pairs = make_pairs(synthetic, in_memory=in_memory, history=3, readers=2)
    assert pairs.times == TIMES[2:-1]
    windows = [(slice(2, 10), slice(1, 9)), (slice(5, 13), slice(0, 8))]
    # From 03 to 06 UTC over both files, and from 00 to 03 UTC.
    batch = pairs.batch([3, 0], windows)
    with xr.open_mfdataset([synthetic / "first.nc", synthetic / "second.nc"]) as dataset:
        dew_point = dataset["D2M"].values
    assert batch.before is not None
    together = torch.cat([batch.before, batch.now[:, None], batch.following[:, None]], dim=1)
    for sample, (first, (rows, columns)) in enumerate(zip([3, 0], windows, strict=True)):
        expected = dew_point[first : first + 4, rows, columns]
        np.testing.assert_array_equal(together[sample, :, 1], expected)
    # A GPU fetches what lies in one piece by itself.
    assert all(states.is_contiguous() for states in (batch.before, batch.now, batch.following))


def test_states_are_read_side_by_side(synthetic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = make_pairs(synthetic, in_memory=0.0, readers=2)
    expected = pairs.batch([2, 5])
    # Two reads wait for each other.
    barrier, read = threading.Barrier(2, timeout=10), StateReader.read

    def together(self: StateReader, *arguments: Any) -> np.ndarray:
        barrier.wait()
        return read(self, *arguments)

    monkeypatch.setattr(StateReader, "read", together)
    batch = pairs.batch([2, 5])
    assert torch.equal(batch.now, expected.now)
    assert torch.equal(batch.following, expected.following)


def test_no_consecutive_hours_are_an_error(synthetic: Path) -> None:
    with pytest.raises(StormdrawError, match="no 2 complete consecutive hours among the 2"):
        make_pairs(synthetic, [START, START + hours(2)])


@pytest.mark.parametrize(("history", "first_hours"), [(1, [0, 1, 4, 5, 6]), (2, [1, 5, 6])])
@pytest.mark.parametrize("in_memory", [0.0, 1e9])
def test_an_hour_with_a_masked_point_is_left_out(
    tmp_path: Path, in_memory: float, history: int, first_hours: list[int]
) -> None:
    """Of eight hours the fourth has one; with a history it may not be among the hours before."""
    write_fields(tmp_path / "first.nc", TIMES[:5], broken=TIMES[3], named=True)
    write_fields(tmp_path / "second.nc", TIMES[5:])
    paths = [tmp_path / "first.nc", tmp_path / "second.nc"]
    forcings = make_forcings(["hour_of_day"], small_grid(), None)
    pairs = Pairs(paths, VARIABLES, TIMES, forcings, in_memory, history)
    assert [time.hour for time in pairs.times] == first_hours
    batch = pairs.batch(range(len(pairs)))
    for states in (batch.now, batch.following, batch.before):
        assert states is None or bool(torch.isfinite(states).all())


def test_the_error_counts_hours_with_missing_points(tmp_path: Path) -> None:
    write_fields(tmp_path / "first.nc", TIMES[:2], broken=TIMES[1], named=True)
    write_fields(tmp_path / "second.nc", TIMES[2:3])
    with pytest.raises(StormdrawError, match="3 are present, 1 of these with missing points"):
        make_pairs(tmp_path, TIMES[:3])


@pytest.mark.parametrize("in_memory", [0.0, 1e9])
def test_an_undeclared_missing_point_is_an_error(tmp_path: Path, in_memory: float) -> None:
    write_fields(tmp_path / "first.nc", TIMES[:5], broken=TIMES[3])
    write_fields(tmp_path / "second.nc", TIMES[5:])
    with pytest.raises(StormdrawError, match=r"first\.nc: D2M at 2026-06-01 03 UTC has 1 missing"):
        make_pairs(tmp_path, in_memory=in_memory).batch([2])


def test_every_pair_once_an_epoch_in_an_order_of_its_own(synthetic: Path) -> None:
    pairs = make_pairs(synthetic)
    batches = ShuffledBatches(pairs, 3, run_seed=1, model="small")
    assert len(batches) == 3
    orders = []
    for epoch in range(3):
        batches.sampler.set_epoch(epoch)
        sizes = [len(batch.times) for batch in batches]
        assert sizes == [3, 3, 1]
        orders.append([time for batch in batches for time in batch.times])
        assert sorted(orders[-1]) == [time + hours(1) for time in pairs.times]
    assert orders[0] != orders[1] != orders[2]
    again = ShuffledBatches(pairs, 3, run_seed=1, model="small")
    assert [time for batch in again for time in batch.times] == orders[0]
    other = ShuffledBatches(pairs, 3, run_seed=2, model="small")
    assert [time for batch in other for time in batch.times] != orders[0]


def test_a_crop_is_a_window_of_the_same_pair(synthetic: Path) -> None:
    pairs = make_pairs(synthetic)
    windows = [(slice(0, 8), slice(2, 10)), (slice(5, 13), slice(0, 8))]
    cropped, whole = pairs.batch([4, 0], windows), pairs.batch([4, 0])
    for index, (rows, columns) in enumerate(windows):
        for name in ("now", "following", "forcings"):
            part = getattr(whole, name)[index, :, rows, columns]
            assert torch.equal(getattr(cropped, name)[index], part)


def test_crops_depend_on_the_epoch_and_pair_only(synthetic: Path) -> None:
    pairs = make_pairs(synthetic)

    def crops(batch_size: int, epoch: int) -> dict:
        batches = ShuffledBatches(pairs, batch_size, run_seed=1, model="small", crop=(8, 9))
        batches.sampler.set_epoch(epoch)
        return {
            time: state.numpy().tobytes()
            for batch in batches
            for time, state in zip(batch.times, batch.now, strict=True)
        }

    assert crops(2, 0) == crops(3, 0)
    assert crops(2, 0) != crops(2, 1)


def test_points_of_a_crop_count_by_what_is_known_around_them(synthetic: Path) -> None:
    pairs = make_pairs(synthetic)
    batches = ShuffledBatches(pairs, 7, run_seed=1, model="small", crop=(8, 9), context=2)
    (batch,) = batches
    assert batch.weights is not None
    assert batch.weights.shape == (7, 8, 9)
    assert batch.weights.min() < batch.weights.max() == 1.0
    # The same windows, drawn again from the same seeds.
    order = batches.sampler.order().tolist()
    assert batches.crops is not None
    windows = [batches.crops.draw(batches.sampler.random("crop", sample)) for sample in order]
    assert torch.equal(batch.weights, batches.crops.weights(windows))
    whole = pairs.batch(order)
    for sample, (rows, columns) in enumerate(windows):
        assert torch.equal(batch.now[sample], whole.now[sample][:, rows, columns])
    (without,) = ShuffledBatches(pairs, 7, run_seed=1, model="small", crop=(8, 9))
    assert without.weights is None


def test_a_crop_larger_than_the_grid_takes_all_of_it(synthetic: Path) -> None:
    pairs = make_pairs(synthetic)
    batch = next(iter(ShuffledBatches(pairs, 7, run_seed=1, model="small", crop=(64, 8))))
    assert batch.now.shape == (7, 3, 13, 8)


def test_an_epoch_can_be_interrupted_and_resumed(synthetic: Path) -> None:
    pairs = make_pairs(synthetic)
    batches = ShuffledBatches(pairs, 2, run_seed=1, model="small")
    whole = [batch.times for batch in batches]
    left = iter(batches)
    assert [next(left).times, next(left).times] == whole[:2]
    resumed = ShuffledBatches(pairs, 2, run_seed=1, model="small")
    resumed.load_state_dict(batches.state_dict())
    assert [batch.times for batch in resumed] == whole[2:]
    # At the end of an epoch nothing of it is left to skip.
    assert resumed.state_dict() == {"samples_given": 0}


def test_validation_is_in_order_of_time(synthetic: Path) -> None:
    batches = OrderedBatches(make_pairs(synthetic), 3)
    times = [time for batch in batches for time in batch.times]
    assert times == sorted(times)
    assert (len(times), len(batches)) == (HOURS - 1, 3)
