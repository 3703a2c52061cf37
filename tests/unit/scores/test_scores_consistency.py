"""Consistency bars of reliability diagrams, in worlds whose forecasts are known to be reliable."""

import numpy as np
import pytest
from scipy import stats

from stormdraw.scores.consistency import consistency_bars

POINTS = 400


def share_within(days: int, alike: float, bias: float = 0.0, worlds: int = 4000) -> float:
    """How often the observed frequency lies in the bar of a forecast of 0.3 for all points.

    The event occurs with probability 0.3 + `bias`. A share `alike` of the points of a day have the
    same outcome, the others have their own.
    """
    random = np.random.default_rng(days)
    together = random.uniform(size=(worlds, days)) < 0.3 + bias
    own = random.binomial(round(POINTS * (1.0 - alike)), 0.3 + bias, (worlds, days))
    event = own + together * round(POINTS * alike)
    weight = np.full((days, worlds), float(POINTS))
    low, high = consistency_bars(weight, event.T.astype(float), 0.3 * weight)
    observed = event.sum(axis=1) / (POINTS * days)
    return float(((low <= observed) & (observed <= high)).mean())


@pytest.mark.parametrize("days", [8, 10, 30])
@pytest.mark.parametrize("alike", [0.0, 0.2])
def test_nine_of_ten_reliable_forecasts_lie_in_their_bars(days: int, alike: float) -> None:
    # Four standard errors of 4,000 worlds are 0.02; days all of whose points are alike in part are
    # no Gaussians.
    assert share_within(days, alike) == pytest.approx(0.9, abs=0.03)


def test_bars_of_five_days_would_be_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all points of a day alike, they hold 80 %: five days of which 1, 2 or 3 have the event.

    The sum of deviations over the root of their sum of squares is within 1.63 for these alone.
    """
    monkeypatch.setattr("stormdraw.scores.consistency.FEWEST_DAYS", 5)
    expected = stats.binom.pmf([1, 2, 3], 5, 0.3).sum()
    assert expected == pytest.approx(0.80, abs=0.005)
    # Four standard errors of 4,000 worlds are 0.025.
    assert share_within(5, 1.0) == pytest.approx(expected, abs=0.025)


def test_bars_of_independent_points_would_be_too_short() -> None:
    """As of Bröcker and Smith, with the binomial distribution of all points: most lie outside."""
    random = np.random.default_rng(1)
    together = random.uniform(size=(4000, 30)) < 0.3
    event = (random.binomial(320, 0.3, (4000, 30)) + 80 * together).sum(axis=1)
    low, high = stats.binom.ppf([0.05, 0.95], 30 * POINTS, 0.3)
    assert ((low <= event) & (event <= high)).mean() < 0.4


def test_a_forecast_that_is_not_reliable_lies_outside_more_often() -> None:
    assert share_within(30, 0.2, bias=0.1) < 0.2


def test_bars_by_hand() -> None:
    """Eight days of equal weight: t of seven degrees of freedom at 0.95 is 1.894579."""
    weight, event = np.full((8, 1), 10.0), np.array([[4.0], [1.0]] * 4)
    low, high = consistency_bars(weight, event, np.full((8, 1), 3.0))
    squares = 4 * 1.0**2 + 4 * 2.0**2
    reach = np.sqrt(8.0) * 1.894579 / np.sqrt(7.0 + 1.894579**2) * np.sqrt(squares) / 80.0
    np.testing.assert_allclose([low[0], high[0]], [0.3 - reach, 0.3 + reach], rtol=1e-6)


def test_bars_end_at_0_and_1_and_need_eight_days() -> None:
    # Bins of seven days; of eight, of which one has nearly all forecasts; of none; near 0.
    weight = np.array([[0.0, 100.0, 0.0, 9.0], *[[5.0, 1.0, 0.0, 9.0]] * 7])
    expected = np.array([[0.0, 50.0, 0.0, 0.1], *[[1.0, 0.5, 0.0, 0.1]] * 7])
    event = np.array([[0.0, 40.0, 0.0, 5.0], *[[2.0, 1.0, 0.0, 0.0]] * 7])
    low, high = consistency_bars(weight, event, expected)
    np.testing.assert_array_equal(np.isnan(low), [True, True, True, False])
    np.testing.assert_array_equal(np.isnan(high), [True, True, True, False])
    assert low[3] == 0.0
    assert 0.0 < high[3] < 1.0
