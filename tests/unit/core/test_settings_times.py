"""Times and periods of a configuration, however they are written."""

from datetime import datetime

import pytest
import yaml
from changed_config import changed

from stormdraw.errors import StormdrawError
from stormdraw.settings import load_settings


def test_demo_cases_walk_through_hrefs_cycles(config):
    inits = load_settings(config).initial_times()
    assert [init.hour for init in inits] == [6, 12, 18, 0, 6]
    assert len({init.date() for init in inits}) == 5


def test_times_with_an_offset_become_utc(config):
    test = {"start": "2026-06-08T08:00+02:00", "end": "2026-06-13T09:00Z"}
    period = load_settings(changed(config, periods__test=test)).periods.test
    assert period.start == datetime(2026, 6, 8, 6)
    assert period.end == datetime(2026, 6, 13, 9)


@pytest.mark.parametrize(
    "written",
    [
        "2026060806",
        '"2026060806"',
        "2026-06-08T06:00",
        "2026-06-08 06:00:00",
        "2026-06-08T06",
        "2026-06-08T01:00-05:00",
    ],
)
def test_ways_to_write_a_time(config, written):
    period = {"start": yaml.safe_load(written), "end": 2026061309}
    test = load_settings(changed(config, periods__test=period)).periods.test
    assert (test.start, test.end) == (datetime(2026, 6, 8, 6), datetime(2026, 6, 13, 9))


def test_a_day_begins_at_midnight(config):
    assert yaml.safe_load("2026-06-10") != datetime(2026, 6, 10)
    for day in (yaml.safe_load("2026-06-10"), "2026-06-10"):
        period = {"start": day, "end": "2026-06-13"}
        start = load_settings(changed(config, periods__test=period)).periods.test.start
        assert start == datetime(2026, 6, 10)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_period_that_ends_on_a_day_has_all_of_it(config, quote):
    period = {"start": "2026-06-08T06:00", "end": yaml.safe_load(f"{quote}2026-06-13{quote}")}
    test = load_settings(changed(config, periods__test=period)).periods.test
    assert test.end == datetime(2026, 6, 13, 23)


@pytest.mark.parametrize(
    "written",
    ["1780000000", "20260608", "'20260608'", "2026060806.0", "2026069906", "true", "6:30", "soon"],
)
def test_bare_numbers_are_no_times(config, written):
    """Pydantic alone counts seconds from 1970 on, so that 1780000000 is in May 2026."""
    period = {"start": yaml.safe_load(written), "end": "2026-06-13T09:00"}
    with pytest.raises(StormdrawError, match=r"periods.test.start: .* is not a time; write it as"):
        load_settings(changed(config, periods__test=period))
