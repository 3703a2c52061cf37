"""Reading ahead: the same items, a bounded number of them."""

import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from synthetic_hours import START

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.models.background import read_ahead
from stormdraw.models.batches import Delivery, OrderedBatches, ShuffledBatches
from stormdraw.models.forcings import make_forcings
from stormdraw.models.pairs import Pairs
from stormdraw.times import hourly, hours


@pytest.mark.parametrize("buffer", [0, 1, 5, 100])
def test_items_keep_their_order(buffer: int) -> None:
    assert list(read_ahead(iter(range(50)), buffer)) == list(range(50))


@pytest.mark.parametrize("buffer", [1, 3])
def test_reads_no_further_ahead_than_the_buffer(buffer: int) -> None:
    made = 0

    def items() -> Iterator[int]:
        nonlocal made
        for item in range(20):
            made += 1
            yield item

    for used, _ in enumerate(read_ahead(items(), buffer), start=1):
        time.sleep(0.002)
        # Those that wait, and the one that is being made.
        assert made <= used + buffer + 1


def test_an_error_is_raised_where_its_item_was_due() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("unplugged")

    ahead = read_ahead(items(), 4)
    assert next(ahead) == 1
    with pytest.raises(OSError, match="unplugged"):
        next(ahead)


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()
    ahead = read_ahead(iter(range(1000)), 2)
    next(ahead)
    assert threading.active_count() == before + 1
    ahead.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_a_resumed_epoch_continues_after_the_last_used_batch(synthetic: Path) -> None:
    forcings = make_forcings([], HRRR.crop(slice(500, 513), slice(900, 910)), None)
    times = list(hourly(START, START + hours(7)))
    paths = [synthetic / "first.nc", synthetic / "second.nc"]
    pairs = Pairs(paths, ["T2M"], times, forcings, 0.0)
    batches = ShuffledBatches(pairs, 1, 1, "small", delivery=Delivery(buffer=3))
    under_way = iter(batches)
    used = [next(under_way).times for _ in range(2)]
    assert batches.state_dict() == {"samples_given": 2}
    resumed = ShuffledBatches(pairs, 1, 1, "small")
    resumed.load_state_dict(batches.state_dict())
    rest = [batch.times for batch in resumed]
    assert sorted(used + rest) == sorted((time + hours(1),) for time in pairs.times)
    under_way.close()  # type: ignore[attr-defined]


def test_memory_is_bounded_whatever_the_length_of_the_archive(tmp_path: Path) -> None:
    grid = HRRR.crop(slice(0, 200), slice(0, 250))
    state = 4 * grid.shape[0] * grid.shape[1]
    # A batch is a pair of states: one that waits, one being made, one in use and one just left.
    may_hold = 4 * 2 * state
    count = 50 * may_hold // state
    times = list(hourly(START, START + hours(count - 1)))
    time_axis = xr.DataArray(np.array(times, dtype="datetime64[ns]"), dims="time")
    with written_in_parts(
        tmp_path / "long.nc", grid, {"time": time_axis}, {"T2M": "T2M"}, {}
    ) as file:
        for index in range(count):
            file["T2M"][index] = index
    forcings = make_forcings([], grid, None)
    pairs = Pairs([tmp_path / "long.nc"], ["T2M"], times, forcings, bytes_in_memory=may_hold)
    batches = OrderedBatches(pairs, 1, Delivery(buffer=1))
    tracemalloc.start()
    try:
        for index, batch in enumerate(batches):
            assert batch.following[0, 0, 3, 4] == index + 1
        largest = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert index == count - 2
    assert largest < 2 * may_hold
