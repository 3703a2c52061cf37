import numpy as np
import pytest
from scipy import stats

from stormdraw.scores.bootstrap import MINIMUM_DAYS, interval, resamplings, tail_share


def inits(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[ns]")


SIX_DAYS = inits(*(f"2026-06-0{day}T{hour:02d}" for day in range(1, 7) for hour in (0, 12)))


def test_whole_days_are_drawn() -> None:
    drawn = resamplings(SIX_DAYS, 500, run_seed=3)
    assert drawn.shape == (501, 12)
    np.testing.assert_array_equal(drawn[0], 1.0)
    # Both cases of a day together; as many days as there are.
    np.testing.assert_array_equal(drawn[:, 0::2], drawn[:, 1::2])
    np.testing.assert_array_equal(drawn[:, 0::2].sum(axis=1), 6)
    # How often a day is drawn is binomial(6, 1/6): mean 1, variance 5/6.
    assert drawn[1:, 0::2].mean() == pytest.approx(1.0)
    assert drawn[1:, 0::2].var() == pytest.approx(5 / 6, rel=0.1)


def test_the_run_seed_decides() -> None:
    first = resamplings(SIX_DAYS, 50, run_seed=3)
    np.testing.assert_array_equal(first, resamplings(SIX_DAYS, 50, run_seed=3))
    assert (first != resamplings(SIX_DAYS, 50, run_seed=4)).any()


def test_too_few_days_give_no_interval() -> None:
    four_days = SIX_DAYS[: 2 * (MINIMUM_DAYS - 1)]
    drawn = resamplings(four_days, 500, run_seed=3)
    np.testing.assert_array_equal(drawn, np.ones((1, 8)))
    low, high = interval(drawn @ np.ones((8, 3)), 0.95, np.full(3, 4))
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    assert low.shape == (3,)


def test_interval_of_a_mean_is_that_of_the_normal_distribution(
    random: np.random.Generator,
) -> None:
    days = np.arange(np.datetime64("2026-01-01"), np.datetime64("2026-04-11"))  # 100 days
    values = random.normal(size=100)
    drawn = resamplings(days.astype("datetime64[ns]"), 4000, run_seed=0)
    means = (drawn @ values[:, None]) / drawn.sum(axis=1, keepdims=True)
    low, high = interval(means, 0.90, np.array([100]))
    half = 1.645 * values.std() / np.sqrt(100)
    assert high[0] - values.mean() == pytest.approx(half, rel=0.08)
    assert values.mean() - low[0] == pytest.approx(half, rel=0.08)


def test_an_undefined_score_has_no_interval() -> None:
    values = np.ones((11, 2))
    values[4, 1] = np.nan
    low, high = interval(values, 0.9, np.array([6, 6]))
    assert (low[0], high[0]) == (1.0, 1.0)
    assert np.isnan([low[1], high[1]]).all()


def test_tails_of_few_days_are_thinner() -> None:
    # Worked by hand from tables of t and Phi: t(0.975, 9) = 2.2622, times sqrt(10 / 9) is 2.3846,
    # and Phi(-2.3846) = 0.00855; t(0.975, 19) = 2.0930, times sqrt(20 / 19) is 2.1474, 0.01588.
    assert tail_share(0.95, 10) == pytest.approx(0.0086, abs=5e-5)
    assert tail_share(0.95, 20) == pytest.approx(0.0159, abs=5e-5)
    assert tail_share(0.95, 100_000) == pytest.approx(0.025, abs=1e-5)


def test_intervals_of_few_days_hold_as_often_as_they_say(random: np.random.Generator) -> None:
    days = 8
    drawn = resamplings(np.arange(days).astype("datetime64[D]").astype("datetime64[ns]"), 2000, 0)
    experiments = random.normal(size=(days, 2000))
    means = drawn @ experiments / days
    low, high = interval(means, 0.95, np.full(2000, days))
    held = ((low <= 0.0) & (high >= 0.0)).mean()
    plain = np.quantile(means[1:], [0.025, 0.975], axis=0)
    held_plainly = ((plain[0] <= 0.0) & (plain[1] >= 0.0)).mean()
    # Of 2000 experiments the share varies by half a per cent; percentiles alone hold in 88 %.
    assert held == pytest.approx(0.95, abs=0.02)
    assert held_plainly < 0.91


def test_an_interval_of_a_mean_is_near_students(random: np.random.Generator) -> None:
    values = random.normal(size=12)
    days = np.arange(12).astype("datetime64[D]").astype("datetime64[ns]")
    means = resamplings(days, 20_000, 0) @ values[:, None] / 12
    low, high = interval(means, 0.95, np.array([12]))
    expected = stats.t.interval(0.95, 11, values.mean(), values.std(ddof=1) / np.sqrt(12))
    assert (high - low)[0] == pytest.approx(expected[1] - expected[0], rel=0.1)
