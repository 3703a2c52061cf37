"""Which forecast of the driving model drives an hour, and what must never do so."""

import itertools
from collections import Counter
from datetime import datetime, timedelta

import pytest

from stormdraw.archive.driving_model import DrivingModel
from stormdraw.archive.driving_registry import driving_model, driving_models
from stormdraw.archive.driving_schedule import DrivenHour, DrivingForecast, Schedule
from stormdraw.errors import StormdrawError
from stormdraw.times import hours

DAY = [datetime(2026, 6, 8) + hours(hour) for hour in range(24)]


def gfs(latency=5, longest=12, seed=0):
    return Schedule(driving_model("gfs"), latency, longest, seed)


def gefs(seed=0):
    return Schedule(driving_model("gefs"), 5, 12, seed)


def test_the_newest_published_cycle_by_hand():
    """The run of 00 UTC appears at 05 UTC; until then that of 18 UTC drives."""
    hour = gfs().hour(datetime(2026, 6, 8, 4), 1)
    assert hour.forecast == DrivingForecast(datetime(2026, 6, 7, 18), 0, 11)
    hour = gfs().hour(datetime(2026, 6, 8, 5), 1)
    assert hour.forecast == DrivingForecast(datetime(2026, 6, 8, 0), 0, 6)


@pytest.mark.parametrize("latency", [0, 1, 5, 6, 11])
def test_the_cycle_is_the_newest_published_one_at_every_hour_of_a_day(latency):
    """By trying every hour of the days before."""
    schedule = gfs(latency)
    for init, lead in itertools.product(DAY, (1, 7, 12)):
        earlier = (init - hours(age) for age in range(72))
        published = [
            one for one in earlier if one.hour in (0, 6, 12, 18) and one + hours(latency) <= init
        ]
        hour = schedule.hour(init, lead)
        assert hour.forecast.cycle == max(published)
        assert hour.forecast.valid == hour.valid == init + hours(lead)
        schedule.require_published(hour)


@pytest.mark.parametrize("name", driving_models())
def test_every_possible_hour_of_training_is_one_of_forecasting(name):
    schedule = Schedule(driving_model(name), 3, 9)
    # A hundred days later RRFS has runs, too.
    for valid in (hour + hours(2400) for hour in DAY):
        possible = schedule.possible(valid)
        assert [hour.lead for hour in possible] == list(range(1, 10))
        for hour in possible:
            assert hour.valid == valid
            assert hour == schedule.hour(hour.init, hour.lead)
            # Never an analysis, nor anything that appeared after the initial time.
            assert hour.forecast.lead >= 3 + hour.lead
            schedule.require_published(hour)


def test_training_draws_ages_as_often_as_forecasting_has_them():
    """Each lead is as likely, so that of 12 leads from one hour on, ages come in their shares."""
    schedule, valid = gfs(), datetime(2026, 6, 8, 12)
    drawn = Counter(schedule.draw(valid, epoch).forecast.lead for epoch in range(6000))
    shares = Counter(hour.forecast.lead for hour in schedule.possible(valid))
    assert set(drawn) == set(shares)
    for lead, count in shares.items():
        expected = 6000 * count / 12
        assert abs(drawn[lead] - expected) < 5 * (expected * (1 - count / 12)) ** 0.5, lead


def test_a_draw_depends_on_its_seed_and_labels_alone():
    one, other = gfs(seed=1), gfs(seed=2)
    epochs = range(40)
    valid = DAY[3]
    assert [one.draw(valid, k) for k in epochs] == [gfs(seed=1).draw(valid, k) for k in epochs]
    assert [one.draw(valid, k) for k in epochs] != [other.draw(valid, k) for k in epochs]
    assert len({one.draw(valid, k).lead for k in epochs}) > 1


def test_a_cycle_that_is_not_published_yet_is_an_error():
    init = datetime(2026, 6, 8, 4)
    leaking = DrivenHour(init, 1, DrivingForecast(datetime(2026, 6, 8), 0, 5))
    with pytest.raises(StormdrawError, match="published at 2026-06-08 05 UTC and so must not"):
        gfs().require_published(leaking)
    gfs(latency=4).require_published(leaking)


def test_a_forecast_of_another_hour_is_an_error():
    init = datetime(2026, 6, 8, 6)
    wrong = DrivenHour(init, 1, DrivingForecast(datetime(2026, 6, 8), 0, 8))
    with pytest.raises(StormdrawError, match="is valid at 2026-06-08 08 UTC and so must not"):
        gfs().require_published(wrong)


def test_leads_that_no_forecast_has_are_refused():
    for lead in (0, 13):
        with pytest.raises(ValueError, match="not within 1 to 12"):
            gfs().hour(DAY[0], lead)


def test_hrrr_takes_its_long_runs_where_the_newest_is_too_short():
    """Runs of 18 h from most hours: from 11 UTC, published at 13 UTC, one reaches 05 UTC."""
    model, init = driving_model("hrrr"), datetime(2026, 6, 8, 13)
    assert Schedule(model, 2, 16).hour(init, 16).forecast.cycle == datetime(2026, 6, 8, 11)
    assert Schedule(model, 2, 17).hour(init, 17).forecast.cycle == datetime(2026, 6, 8, 6)
    assert Schedule(model, 2, 17).hour(init, 1).forecast.cycle == datetime(2026, 6, 8, 6)


def test_leads_beyond_every_run_are_an_error():
    with pytest.raises(StormdrawError, match=r"archive\.driving: no run of hrrr .* lead of 60 h"):
        Schedule(driving_model("hrrr"), 2, 60).hour(DAY[0], 1)


class LongBeforeJune(DrivingModel):
    """Runs of ten days until May, and of 12 h since then."""

    def longest_lead_of(self, cycle):
        return 240 if cycle < datetime(2026, 6, 1) else 12


def test_a_run_of_five_days_ago_is_no_forecast_any_more():
    schedule = Schedule(LongBeforeJune("x", "y", 6, 1, 240, ()), 0, 13)
    # The last long run is of 31 May at 18 UTC.
    assert schedule.newest_cycle(datetime(2026, 6, 5, 18)) == datetime(2026, 5, 31, 18)
    with pytest.raises(StormdrawError, match=r"no run of x .* long enough for a lead of 13 h"):
        schedule.newest_cycle(datetime(2026, 6, 5, 19))


def test_between_the_last_lead_and_the_end_of_a_run_there_is_nothing():
    """A run of 10 h with a forecast every three ends at 9 h."""
    model = DrivingModel("x", "y", 6, 3, 10, ())
    assert Schedule(model, 0, 9).newest_cycle(DAY[0]) == DAY[0]
    with pytest.raises(StormdrawError, match="lead of 10 h"):
        Schedule(model, 0, 10).newest_cycle(DAY[0])


def test_members_are_driven_by_thirty_in_turn():
    schedule = gefs()
    assert [schedule.hour(DAY[0], 1, k).forecast.member for k in (0, 29, 30, 61)] == [1, 30, 1, 2]
    assert [gfs().hour(DAY[0], 1, k).forecast.member for k in (None, 0, 31)] == [0, 0, 0]


def test_training_takes_one_member_of_a_cycle():
    schedule = gefs(seed=4)
    cycles = [datetime(2026, 6, 1) + timedelta(hours=6 * k) for k in range(3000)]
    taken = Counter(map(schedule.training_member, cycles))
    assert set(taken) == set(range(1, 31))
    # 100 each: within five standard deviations.
    assert max(abs(count - 100) for count in taken.values()) < 50
    assert schedule.training_member(cycles[0]) == gefs(seed=4).training_member(cycles[0])
    assert schedule.hour(DAY[7], 2).forecast.member == schedule.training_member(
        datetime(2026, 6, 8)
    )


def test_between_two_leads_a_forecast_is_linear_in_time():
    cycle = datetime(2026, 6, 8)
    weights = gefs().weights(DrivingForecast(cycle, 7, 10))
    assert [forecast for forecast, _ in weights] == [
        DrivingForecast(cycle, 7, 9),
        DrivingForecast(cycle, 7, 12),
    ]
    assert [weight for _, weight in weights] == pytest.approx([2 / 3, 1 / 3])
    # Valid at the hour: the mean of the leads is the lead.
    assert sum(weight * forecast.lead for forecast, weight in weights) == pytest.approx(10)
    at = DrivingForecast(cycle, 7, 9)
    assert gefs().weights(at) == [(at, 1.0)]
    assert gfs().weights(DrivingForecast(cycle, 0, 10)) == [(DrivingForecast(cycle, 0, 10), 1.0)]
