import numpy as np
import pytest
from scipy import stats

from stormdraw.scores.intervals import (
    MINIMUM_DAYS,
    Uncertainty,
    day_to_day_correlation,
    effective_days,
    uncertainty,
    weightings,
)

SIX_DAYS = np.array(
    [f"2026-06-0{day}T{hour:02d}" for day in range(1, 7) for hour in (0, 12)], "datetime64[ns]"
)
# Each day differs from the next as much as can be: no day-to-day correlation is left over.
ALTERNATING = np.array([1.0, -1.0, 1.5, -1.0, 0.5, -2.0, 1.0, -1.0, 2.0, -1.5, 0.5, 0.0])


def of_means(values: np.ndarray, samples: int = 2000, run_seed: int = 0) -> Uncertainty:
    """How sure the mean of the values of days (day, lead) is."""
    values = values.reshape(len(values), -1)
    mean = values.mean(axis=0, keepdims=True)
    without = (values.sum(axis=0) - values) / (len(values) - 1)
    scores = np.concatenate([mean, without, values])
    return uncertainty(scores, np.ones(values.shape, bool), samples, run_seed)


def test_each_day_is_left_out_whole_and_stands_alone() -> None:
    weights = weightings(SIX_DAYS)
    assert weights.shape == (13, 12)
    np.testing.assert_array_equal(weights[0], 1.0)
    for day in range(6):
        of_day = np.zeros(12)
        of_day[2 * day : 2 * day + 2] = 1.0
        np.testing.assert_array_equal(weights[1 + day], 1.0 - of_day)
        np.testing.assert_array_equal(weights[7 + day], of_day)


def test_a_mean_of_uncorrelated_days_has_the_textbook_standard_error() -> None:
    sure = of_means(ALTERNATING)
    assert sure.correlation[0] == 0.0
    assert sure.effective_days[0] == 12
    assert sure.standard_error[0] == pytest.approx(stats.sem(ALTERNATING))


def test_the_standard_error_of_a_ratio_is_that_of_its_linear_approximation(
    random: np.random.Generator,
) -> None:
    above, below = random.uniform(9.0, 11.0, (2, 60))
    above *= np.where(np.arange(60) % 2, 1.1, 0.9)
    totals = above.sum(), below.sum()
    scores = np.concatenate(
        [[totals[0] / totals[1]], (totals[0] - above) / (totals[1] - below), above / below]
    )[:, None]
    sure = uncertainty(scores, np.ones((60, 1), bool), 500, 0)
    ratio = totals[0] / totals[1]
    linear = (above - ratio * below) / below.mean()
    assert sure.correlation[0] == 0.0
    assert sure.standard_error[0] == pytest.approx(stats.sem(linear), rel=0.01)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.8])
def test_effective_days_from_the_whole_covariance(correlation: float) -> None:
    # The variance of a mean is the sum of all covariances over n squared.
    days = np.arange(20)
    covariance = correlation ** np.abs(days[:, None] - days)
    expected = 1.0 / (covariance.sum() / 20**2)
    assert effective_days(np.array([correlation]), 20)[0] == pytest.approx(expected)
    assert effective_days(np.array([0.95]), 5)[0] == 2.0


def test_the_correlation_by_hand() -> None:
    # Deviations -2, -1, 0, 1, 2: squares 10, products 2 + 0 + 0 + 2 = 4, so plainly 0.4.
    # Unbiased (5 * 0.4 + 1) / (5 - 4) = 3, which is held at 0.95.
    assert day_to_day_correlation(np.array([[-2.0], [-1], [0], [1], [2]]))[0] == 0.95
    # Twelve days, -1 and 1 in pairs: squares 12, products 6 - 5 = 1: r = 1 / 12. Unbiased
    # (1 + 1) / 8 = 0.25, and its standard error sqrt((1 - 1 / 144) / 12) = 0.2877.
    pairs = np.repeat([-1.0, 1, -1, 1, -1, 1], 2)[:, None]
    assert day_to_day_correlation(pairs)[0] == pytest.approx(0.5377, abs=1e-4)
    # Days that are all alike have no correlation: 0, unbiased 1 / 8, and the standard error.
    assert day_to_day_correlation(np.zeros((12, 1)))[0] == pytest.approx(0.125 + np.sqrt(1 / 12))


def test_correlated_days_widen_the_interval(random: np.random.Generator) -> None:
    noise = random.normal(size=90)
    steady = np.zeros(90)
    for day in range(1, 90):
        steady[day] = 0.6 * steady[day - 1] + noise[day]
    wide, narrow = (np.diff(of_means(own).interval(0.95), axis=0)[0, 0] for own in (steady, noise))
    assert wide > 1.5 * narrow * steady.std() / noise.std()


def test_tails_are_those_of_resampled_days(random: np.random.Generator) -> None:
    values = random.lognormal(size=12)
    sure = of_means(values, samples=4000)
    drawn = random.choice(values, (20_000, 12))
    distances = (drawn.mean(axis=1) - values.mean()) / stats.sem(drawn, axis=1)
    own = np.quantile(sure.studentised[:, 0], [0.05, 0.95])
    np.testing.assert_allclose(own, np.quantile(distances, [0.05, 0.95]), rtol=0.1)
    # Skewed to the right, so that the true mean may be far above, and hardly below.
    low, high = sure.interval(0.9)
    assert high[0] - values.mean() > 1.5 * (values.mean() - low[0])


def test_an_interval_is_students_with_tails_as_the_bootstrap_has_them() -> None:
    sure = of_means(ALTERNATING)
    ends = np.quantile(sure.studentised[:, 0], [0.025, 0.975], method="nearest")
    low, high = sure.interval(0.95)
    mean, error = ALTERNATING.mean(), stats.sem(ALTERNATING)
    assert low[0] == pytest.approx(mean - ends[1] * error)
    assert high[0] == pytest.approx(mean - ends[0] * error)


def test_a_p_value_falls_with_the_distance_from_zero_as_students_does(
    random: np.random.Generator,
) -> None:
    values = random.normal(size=40) * np.where(np.arange(40) % 2, 1.0, -1.0)
    shifts = np.array([0.0, 0.2, 0.4, 0.8, -0.8])
    sure = of_means(values[:, None] - values.mean() + shifts, samples=20_000)
    p_value = sure.p_value()
    assert p_value[0] == pytest.approx(1.0)
    assert p_value[0] > p_value[1] > p_value[2] > p_value[3]
    textbook = 2 * stats.t.sf(np.abs(shifts) / sure.standard_error, sure.effective_days - 1)
    np.testing.assert_allclose(p_value[1:3], textbook[1:3], rtol=0.5)
    assert p_value[3] < 1e-3
    assert p_value[4] < 1e-3


@pytest.mark.parametrize(("shift", "tail"), [(0.8, 0.995), (-0.8, 0.005)])
def test_a_p_value_has_the_bootstraps_tail_at_half_a_per_cent(shift: float, tail: float) -> None:
    values = ALTERNATING + shift
    sure = of_means(values)
    end = np.quantile(sure.studentised[:, 0], tail, method="nearest")
    stretch = abs(end) / stats.t.ppf(0.995, 11)
    distance = abs(values.mean()) / (stretch * stats.sem(values))
    assert sure.p_value()[0] == pytest.approx(2.0 * stats.t.sf(distance, 11))


@pytest.mark.parametrize(
    ("undefined", "alike", "expected"), [(0.3, 0.0, 0.3), (0.3, 0.2, 0.5), (0.9, 0.4, 1.0)]
)
def test_what_resamples_cannot_tell_is_no_proof(
    undefined: float, alike: float, expected: float, random: np.random.Generator
) -> None:
    """Fifty standard errors from 0, were it not for these resamples."""
    five, tenth, days, none = (np.array([value]) for value in (5.0, 0.1, 20.0, 0.0))
    shares = np.array([undefined]), np.array([alike])
    sure = Uncertainty(five, tenth, days, days, none, *shares, random.normal(size=(500, 1)))
    assert sure.p_value()[0] == pytest.approx(expected)


def test_too_few_days_give_no_interval() -> None:
    sure = of_means(np.arange(MINIMUM_DAYS - 1.0))
    assert np.isnan([*sure.interval(0.95), sure.p_value()]).all()
    assert sure.days[0] == MINIMUM_DAYS - 1


def test_days_without_data_are_no_days() -> None:
    values = np.concatenate([ALTERNATING, [7.0, 8.0]])
    data = np.arange(14)[:, None] < [14, 12]
    full = of_means(values)
    scores = np.full((29, 2), np.nan)
    scores[:, 0] = np.concatenate([[values.mean()], (values.sum() - values) / 13, values])
    twelve = ALTERNATING
    scores[:13, 1] = np.concatenate([[twelve.mean()], (twelve.sum() - twelve) / 11])
    scores[13:15, 1] = twelve.mean()
    scores[15:27, 1] = twelve
    sure = uncertainty(scores, data, 2000, 0)
    np.testing.assert_array_equal(sure.days, [14, 12])
    assert sure.standard_error[0] == full.standard_error[0]
    assert sure.standard_error[1] == of_means(twelve).standard_error[0]
    assert sure.undefined_share[1] == 0.0


def test_a_score_of_a_rare_event_keeps_its_interval() -> None:
    """Twelve days, four of them without an event: the share of hits of those that have one."""
    hits = np.array([1.0, 0, 2, 0, 3, 0, 1, 0, 2, 1, 4, 2])
    events = np.array([2.0, 0, 3, 0, 3, 0, 4, 0, 2, 2, 5, 3])
    with np.errstate(invalid="ignore"):
        alone = hits / events
    without = (hits.sum() - hits) / (events.sum() - events)
    scores = np.concatenate([[hits.sum() / events.sum()], without, alone])[:, None]
    sure = uncertainty(scores, np.ones((12, 1), bool), 2000, 0)
    low, high = sure.interval(0.9)
    assert low[0] < scores[0, 0] < high[0]
    assert sure.undefined_share[0] == pytest.approx((4 / 12) ** 12)


def test_an_event_of_one_day_has_no_interval() -> None:
    scores = np.full((17, 1), 0.5)
    scores[4] = np.nan
    sure = uncertainty(scores, np.ones((8, 1), bool), 500, 0)
    assert np.isnan([*sure.interval(0.9), sure.p_value()]).all()


def test_days_that_are_all_alike_prove_nothing() -> None:
    sure = of_means(np.full(10, 0.3))
    assert np.isnan(sure.interval(0.95)).all()
    assert sure.p_value()[0] == 1.0
    # Nine days of ten alike: the tenth is not drawn in (9 / 10) ** 10 = 35 % of the resamples.
    rare = of_means(np.where(np.arange(10) == 3, 50.0, 0.3), samples=4000)
    assert rare.alike_share[0] == pytest.approx(0.9**10, abs=0.03)
    assert rare.p_value()[0] >= rare.alike_share[0]


@pytest.mark.parametrize(
    ("differing", "confidence", "given"),
    # The chance of drawing none of them in 15 days: 3.5 %, and of four 1.0 %.
    [(3, 0.95, False), (4, 0.95, True), (3, 0.9, True), (4, 0.99, False)],
)
def test_an_interval_is_given_where_no_tail_is_of_resamples_that_do_not_differ(
    differing: int, confidence: float, given: bool
) -> None:
    sure = of_means(np.where(np.arange(15) < differing, np.arange(15) + 1.0, 0.0), samples=20_000)
    assert sure.alike_share[0] == pytest.approx((1 - differing / 15) ** 15, abs=0.003)
    assert (np.isfinite(sure.interval(confidence)) == given).all()


@pytest.mark.parametrize("value", [50.1, -50.1])
def test_resamples_that_do_not_differ_lie_as_far_out_as_any(value: float) -> None:
    """Nine days of ten alike, so that a resample without the tenth has no error but rounding."""
    sure = of_means(np.where(np.arange(10) == 3, value, 0.3))
    without = sure.studentised[:, 0] * np.sign(value) == -np.abs(sure.studentised).max()
    assert without.mean() == pytest.approx(sure.alike_share[0])
    assert without.mean() == pytest.approx(0.9**10, abs=0.03)


def test_the_run_seed_decides() -> None:
    first = of_means(ALTERNATING, 500, 3).interval(0.9)
    np.testing.assert_array_equal(first, of_means(ALTERNATING, 500, 3).interval(0.9))
    assert (np.array(first) != of_means(ALTERNATING, 500, 4).interval(0.9)).any()
