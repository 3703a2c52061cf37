"""Fields of the initial time in training: what a pair of hours gets of them, and how old."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import torch
from hours_with_roles import LONGEST, ROLES, TIMES, initial_fields, numbered_pairs
from synthetic_hours import HOURS, START, small_grid

from stormdraw.fields.statistics import Statistics
from stormdraw.grids import WHOLE_GRID, Window
from stormdraw.models.batches import Delivery, OrderedBatches, ShuffledBatches
from stormdraw.models.forcings import Forcings, make_forcings
from stormdraw.models.forcings.forcing import ForecastHour
from stormdraw.models.forcings.initial_fields import InitialFields
from stormdraw.models.pairs import Pairs, leads_at, usual_lead
from stormdraw.models.ranks import Ranks
from stormdraw.times import format_init, hours


@pytest.mark.parametrize("in_memory", [0.0, 1e9])
def test_a_batch_has_each_variable_where_its_role_says(numbered: Path, in_memory: float) -> None:
    batch = numbered_pairs(numbered, in_memory).batch([5, 5, 2], leads=[1, 4, 2])
    # From 05 to 06 UTC, and from 02 to 03 UTC.
    assert batch.now[:, :, 0, 0].tolist() == [[265.0], [265.0], [262.0]]
    assert batch.following[:, :, 0, 0].tolist() == [[266.0, 306.0], [266.0, 306.0], [263.0, 303.0]]
    # The forecasts that have the leads started at 05, 02 and 01 UTC; their fields are then 0, 3
    # and 1 h old, and 12 h are 1.
    of_hour, age = batch.forcings[:, 0, 0, 0].tolist(), batch.forcings[:, 1, 0, 0].tolist()
    assert of_hour == [5.0, 2.0, 1.0]
    assert age == pytest.approx([0.0, 3 / 12, 1 / 12])
    cropped = numbered_pairs(numbered, in_memory).batch([5], [(slice(2, 6), slice(3, 8))], [4])
    assert cropped.forcings.shape == (1, 2, 4, 5)
    assert cropped.forcings[0, 0].unique().tolist() == [2.0]


def test_fields_of_a_whole_grid_and_of_crops_are_not_taken_for_each_other() -> None:
    """Each point has a value of its own, and each hour."""
    rows, columns = small_grid().shape
    points = np.arange(rows * columns, dtype=np.float32).reshape(1, rows, columns)

    class Numbered:
        usable = TIMES

        def read(self, time: datetime, out: object = None, window: Window = WHOLE_GRID) -> Any:
            return (points + 1000.0 * time.hour)[:, *window]

    numbers = np.float32([[0], [1], [0], [1]])
    forcing = InitialFields(Statistics(("D2M",), ("identity",), *numbers), Numbered())
    crop = (slice(2, 6), slice(3, 8))
    for hour, window in [(5, crop), (5, WHOLE_GRID), (5, crop), (6, crop), (6, WHOLE_GRID)]:
        fields = forcing.at(ForecastHour(START + hours(hour), 1), window)
        expected = (points + 1000.0 * (START + hours(hour)).hour)[:, *window]
        np.testing.assert_array_equal(fields[:1], expected)


def test_training_shows_all_ages_as_often_and_nothing_later_than_the_start(numbered: Path) -> None:
    pairs = numbered_pairs(numbered)
    batches = ShuffledBatches(pairs, 4, 3, "m", samples_per_state=200)
    found = np.zeros((HOURS - 1, LONGEST), int)
    for batch in batches:
        start = batch.now[:, 0, 0, 0] - 260.0
        of_hour = batch.forcings[:, 0, 0, 0]
        assert (of_hour <= start).all()
        torch.testing.assert_close(batch.forcings[:, 1, 0, 0] * 12.0, start - of_hour)
        for hour, old in zip(start.int().tolist(), (start - of_hour).int().tolist(), strict=True):
            found[hour, old] += 1
    # The first hours have no fields from before: no more ages than hours.
    possible = np.tri(HOURS - 1, LONGEST, dtype=bool)
    assert (found[~possible] == 0).all()
    for counts, allowed in zip(found, possible, strict=True):
        expected = 200 / allowed.sum()
        # Four standard deviations of a binomial count.
        assert np.abs(counts[allowed] - expected).max() <= 4.0 * np.sqrt(expected)


def test_ages_depend_on_seed_epoch_and_sample_and_not_on_devices(numbered: Path) -> None:
    pairs = numbered_pairs(numbered)

    def drawn(epoch: int = 0, seed: int = 3, size: int = 4, delivery: Any = None) -> list[float]:
        batches = ShuffledBatches(pairs, size, seed, "m", delivery=delivery)
        batches.sampler.set_epoch(epoch)
        order = [batch.forcings[:, 0, 0, 0].tolist() for batch in batches]
        return [of_hour for batch in order for of_hour in batch]

    assert drawn() == drawn() == drawn(size=1)
    assert len({tuple(drawn(epoch)) for epoch in range(4)}) == 4
    assert drawn(seed=4) != drawn()
    halves = [drawn(delivery=Delivery(ranks=Ranks(number, 2))) for number in (0, 1)]
    assert sorted(halves[0] + halves[1]) == sorted(drawn())


def test_validation_shows_each_hour_at_the_same_age_and_all_ages(numbered: Path) -> None:
    pairs = numbered_pairs(numbered)
    first, second = (
        [batch.forcings[:, 1, 0, 0].tolist() for batch in OrderedBatches(pairs, 2)]
        for _ in range(2)
    )
    assert first == second
    later = [START + hours(hour) for hour in range(10, 1000)]

    class Always(Forcings):
        by_lead = True

        def has(self, hour: object) -> bool:
            return True

    leads = [usual_lead(time, Always((1, 1), []), LONGEST) for time in later]
    counts = np.bincount(leads, minlength=LONGEST + 1)[1:]
    assert np.abs(counts - 990 / LONGEST).max() < 4.0 * np.sqrt(990 / LONGEST)
    # Not by the hour of the day, which a network knows as well.
    assert len({lead for time, lead in zip(later, leads, strict=True) if time.hour == 6}) == LONGEST


def test_pairs_without_the_fields_of_any_start_are_left_out(numbered: Path) -> None:
    states = TIMES[:6]
    lacking = [time for time in TIMES if time.hour not in (2, 3, 4)]
    forcings = initial_fields(numbered, lacking)
    pairs = Pairs([numbered], ROLES.forecast, states, forcings, 1e9, diagnosed=ROLES.diagnosed)
    assert [time.hour for time in pairs.times] == [0, 1]
    longer = Pairs(
        *([numbered], ROLES.forecast, states, forcings, 1e9), diagnosed=["CAPE"], longest_lead=2
    )
    # From 02 UTC on, the fields of 01 UTC are 1 h old.
    assert [time.hour for time in longer.times] == [0, 1, 2]
    assert longer.batch([2]).forcings[0, 0, 0, 0].item() == 1.0


def test_a_missing_point_of_an_input_costs_no_hour_of_the_states(
    numbered: Path, tmp_path: Path
) -> None:
    path = tmp_path / "day.nc"
    shutil.copy(numbered, path)
    with netCDF4.Dataset(path, "a") as file:
        file["D2M"][2, 0, 0] = np.nan
        file["D2M"].incomplete_times = format_init(START + hours(2))
    pairs = numbered_pairs(path)
    assert pairs.times == TIMES[:-1]
    # No forecast starts at 02 UTC, but the hour after it may be one that started earlier.
    assert leads_at(START + hours(2), pairs.forcings, LONGEST) == (2, 3)
    none = make_forcings((), small_grid())
    assert Pairs([path], ["D2M"], TIMES, none, 0.0).times == [
        time for time in TIMES[:-1] if time.hour not in (1, 2)
    ]
