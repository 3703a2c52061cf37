import numpy as np
import properscoring
import pytest
import scoringrules
import xarray as xr
import xskillscore
from scipy import integrate, stats
from scored_fields import points_of
from scores.probability import crps_for_ensemble

from stormdraw.scores.statistics.crps import fair_gaussian_crps, gaussian_crps


def crps(members: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard and fair CRPS of members (member, point)."""
    points = points_of(members, truth)
    return points.crps_standard, points.crps_fair


def brute_force(members: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The definition, pair by pair."""
    count = len(members)
    standard, fair = [], []
    for point, observed in enumerate(truth):
        values = [float(member[point]) for member in members]
        distance = sum(abs(value - observed) for value in values) / count
        pairs = sum(abs(a - b) for a in values for b in values)
        standard.append(distance - pairs / (2 * count**2))
        fair.append(distance - pairs / (2 * count * (count - 1)))
    return np.array(standard), np.array(fair)


@pytest.fixture(params=[2, 3, 10, 31])
def members(request: pytest.FixtureRequest, random: np.random.Generator) -> np.ndarray:
    """(member, point), some of them equal to each other and to the truth."""
    return np.round(random.normal(1.0, 2.0, (request.param, 200)), 1)


@pytest.fixture
def truth(random: np.random.Generator) -> np.ndarray:
    return np.round(random.normal(0.0, 2.0, 200), 1)


def test_three_members_by_hand() -> None:
    # Members 1, 2, 4 and truth 3. The steps of the distribution against that of the truth:
    # (1/3)^2 on [1, 2], (2/3)^2 on [2, 3], (2/3 - 1)^2 on [3, 4]: 6/9 in all.
    # Fair: mean distance (2 + 1 + 1)/3 = 4/3, sum over pairs 2 (1 + 3 + 2) = 12, 12/(2*3*2) = 1.
    standard, fair = crps(np.array([[4.0], [1.0], [2.0]]), np.array([3.0]))
    assert standard[0] == pytest.approx(2 / 3, abs=1e-15)
    assert fair[0] == pytest.approx(1 / 3, abs=1e-15)


def test_one_member_scores_its_absolute_error(random: np.random.Generator) -> None:
    forecast, truth = random.normal(size=(2, 50))
    standard, fair = crps(forecast[None], truth)
    np.testing.assert_array_equal(standard, np.abs(forecast - truth))
    np.testing.assert_array_equal(fair, np.abs(forecast - truth))


def test_equals_the_double_loop(members: np.ndarray, truth: np.ndarray) -> None:
    standard, fair = crps(members, truth)
    expected_standard, expected_fair = brute_force(members, truth)
    np.testing.assert_allclose(standard, expected_standard, atol=1e-13)
    np.testing.assert_allclose(fair, expected_fair, atol=1e-13)


def test_standard_equals_other_libraries(members: np.ndarray, truth: np.ndarray) -> None:
    standard, _ = crps(members, truth)
    forecast = xr.DataArray(members, dims=("member", "point"))
    observed = xr.DataArray(truth, dims="point")
    others = {
        "properscoring": properscoring.crps_ensemble(truth, members, axis=0),
        "xskillscore": xskillscore.crps_ensemble(observed, forecast, dim=[]).values,
        "scoringrules": scoringrules.crps_ensemble(truth, members, m_axis=0, estimator="nrg"),
        "scores": crps_for_ensemble(
            forecast, observed, "member", method="ecdf", preserve_dims="all"
        ).values,
    }
    for library, theirs in others.items():
        np.testing.assert_allclose(standard, theirs, atol=1e-12, err_msg=library)


def test_fair_equals_other_libraries(members: np.ndarray, truth: np.ndarray) -> None:
    _, fair = crps(members, truth)
    forecast = xr.DataArray(members, dims=("member", "point"))
    observed = xr.DataArray(truth, dims="point")
    others = {
        "scoringrules fair": scoringrules.crps_ensemble(truth, members, m_axis=0, estimator="fair"),
        # The probability-weighted moments are unbiased ones, which makes this the fair CRPS too.
        "scoringrules pwm": scoringrules.crps_ensemble(truth, members, m_axis=0, estimator="pwm"),
        "scores": crps_for_ensemble(
            forecast, observed, "member", method="fair", preserve_dims="all"
        ).values,
    }
    for library, theirs in others.items():
        np.testing.assert_allclose(fair, theirs, atol=1e-12, err_msg=library)


def test_single_precision_loses_nothing_to_large_values(random: np.random.Generator) -> None:
    # Kelvins in the float32 of the files: their differences are exact, sums are in float64.
    members = random.normal(290.0, 0.5, (40, 300)).astype(np.float32)
    truth = random.normal(290.0, 0.5, 300).astype(np.float32)
    standard, fair = crps(members, truth)
    expected_standard, expected_fair = crps(members.astype(float), truth.astype(float))
    np.testing.assert_allclose(standard, expected_standard, rtol=1e-12)
    np.testing.assert_allclose(fair, expected_fair, rtol=1e-12)


def test_member_order_does_not_change_a_bit(random: np.random.Generator) -> None:
    members, truth = random.normal(size=(20, 100)), random.normal(size=100)
    for first, second in zip(crps(members, truth), crps(members[::-1], truth), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("count", [3, 10, 30, 100])
def test_fair_crps_of_a_calibrated_ensemble_does_not_depend_on_its_size(count: int) -> None:
    random = np.random.default_rng(count)
    points = 30_000
    standard, fair = crps(random.normal(size=(count, points)), random.normal(size=points))
    limit = 1.0 / np.sqrt(np.pi)  # half the mean distance of two draws from N(0, 1)
    sampling_error = fair.std() / np.sqrt(points)
    assert abs(fair.mean() - limit) < 4 * sampling_error
    assert abs(standard.mean() - (1 + 1 / count) * limit) < 4 * sampling_error


@pytest.mark.parametrize(("bias", "spread"), [(0.5, 1.0), (-0.5, 1.0), (0.0, 0.6), (0.0, 1.6)])
def test_the_true_distribution_scores_best(bias: float, spread: float) -> None:
    random = np.random.default_rng(1)
    truth, draws = random.normal(size=40_000), random.normal(size=(10, 40_000))
    _, true_score = crps(draws, truth)
    _, other_score = crps(bias + spread * draws, truth)
    difference = other_score - true_score
    assert difference.mean() > 4 * difference.std() / np.sqrt(difference.size)
    gaussian_difference = gaussian_crps(bias - truth, np.array(spread)) - gaussian_crps(
        -truth, np.array(1.0)
    )
    assert gaussian_difference.mean() > 4 * gaussian_difference.std() / np.sqrt(truth.size)


@pytest.mark.parametrize(("error", "spread"), [(0.0, 1.0), (0.7, 1.3), (-4.0, 0.5), (2.0, 9.0)])
def test_gaussian_equals_its_integral(error: float, spread: float) -> None:
    # The integral of (F(x) - [x >= truth])^2 with the truth at 0.
    below, _ = integrate.quad(lambda x: stats.norm.cdf(x, error, spread) ** 2, -np.inf, 0)
    above, _ = integrate.quad(lambda x: stats.norm.sf(x, error, spread) ** 2, 0, np.inf)
    assert gaussian_crps(np.array(error), np.array(spread)) == pytest.approx(
        below + above, rel=1e-6
    )


def test_gaussian_equals_other_libraries(random: np.random.Generator) -> None:
    mean, truth = random.normal(0.0, 3.0, (2, 200))
    spread = random.uniform(0.1, 4.0, 200)
    ours = gaussian_crps(mean - truth, spread)
    np.testing.assert_allclose(ours, properscoring.crps_gaussian(truth, mean, spread), rtol=1e-12)
    # scoringrules' normal distribution function is good to some 1e-9 only.
    np.testing.assert_allclose(ours, scoringrules.crps_normal(truth, mean, spread), rtol=1e-7)
    theirs = xskillscore.crps_gaussian(
        xr.DataArray(truth, dims="point"),
        xr.DataArray(mean, dims="point"),
        xr.DataArray(spread, dims="point"),
        dim=[],
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_gaussian_is_the_limit_of_many_members() -> None:
    count = 20_000
    quantiles = stats.norm.ppf((np.arange(count) + 0.5) / count, loc=1.2, scale=0.7)
    standard, fair = crps(np.repeat(quantiles[:, None], 3, axis=1), np.array([0.0, 1.0, 4.0]))
    expected = gaussian_crps(1.2 - np.array([0.0, 1.0, 4.0]), np.array(0.7))
    np.testing.assert_allclose(standard, expected, rtol=2e-4)
    np.testing.assert_allclose(fair, expected, rtol=2e-4)


def test_gaussian_without_spread_is_the_absolute_error() -> None:
    error = np.array([-2.0, 0.0, 3.0, 3.0, 3.0])
    spread = np.array([0.0, 0.0, 0.0, 1e-300, 1e-12])
    np.testing.assert_allclose(gaussian_crps(error, spread), np.abs(error), rtol=1e-11)


def test_many_members_of_an_exponential_score_as_its_closed_form() -> None:
    """The integral of (F(x) - [x >= y])**2 for F = 1 - exp(-x): y - 2 (1 - exp(-y)) + 1/2."""
    count, truth = 20_000, np.array([0.0, 0.7, 3.0])
    quantiles = -np.log1p(-(np.arange(count) + 0.5) / count)
    standard, fair = crps(np.repeat(quantiles[:, None], 3, axis=1), truth)
    expected = truth - 2.0 * (1.0 - np.exp(-truth)) + 0.5
    np.testing.assert_allclose(standard, expected, rtol=2e-3)
    np.testing.assert_allclose(fair, expected, rtol=2e-3)


@pytest.mark.parametrize(("centre", "spread"), [(0.0, 4.0), (3.0, 0.0), (0.0, 0.0)])
def test_adding_a_useless_member_does_not_help(centre: float, spread: float) -> None:
    """A member that knows nothing of the weather: what it adds to both terms cancels on average."""
    random = np.random.default_rng(7)
    members, truth = random.normal(size=(10, 40_000)), random.normal(size=40_000)
    _, fair = crps(members, truth)
    useless = centre + spread * random.normal(size=(1, truth.size))
    difference = crps(np.concatenate([members, useless]), truth)[1] - fair
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(truth.size)


def test_a_duplicated_member_worsens_the_fair_crps() -> None:
    """By the mean distance of two members over M (M + 1): the ensemble pretends to know more."""
    random = np.random.default_rng(8)
    members, truth = random.normal(size=(10, 40_000)), random.normal(size=40_000)
    twice = np.concatenate([members, members[:1]])
    difference = crps(twice, truth)[1] - crps(members, truth)[1]
    expected = 2.0 / np.sqrt(np.pi) / (10 * 11)
    assert difference.mean() == pytest.approx(
        expected, abs=4 * difference.std() / np.sqrt(truth.size)
    )


@pytest.mark.parametrize("spread", [0.8, 1.0, 1.2])
@pytest.mark.parametrize("members", [3, 5, 10, 14, 100])
def test_fair_gaussian_crps_of_few_members_is_on_average_that_of_infinitely_many(
    members: int, spread: float, random: np.random.Generator
) -> None:
    """With the truth drawn as members are, and where their spread is a fifth too small or large.

    |X - y| has then the mean sqrt(2 (spread**2 + 1) / pi), and |X - X'| / 2 spread / sqrt(pi).
    """
    count = 200_000
    truth = random.normal(size=count)
    # Mean and variance of a Gaussian's sample are independent of each other.
    mean = random.normal(0.0, spread / np.sqrt(members), count)
    own = spread * np.sqrt(random.chisquare(members - 1, count) / (members - 1))
    expected = np.sqrt(2.0 * (spread**2 + 1.0) / np.pi) - spread / np.sqrt(np.pi)
    fair, plain = fair_gaussian_crps(mean - truth, own, members), gaussian_crps(mean - truth, own)
    assert abs(fair.mean() - expected) < 4.0 * stats.sem(fair)
    if members <= 14:
        assert plain.mean() - expected > 10.0 * stats.sem(plain - fair)


def test_fair_gaussian_crps_is_unbiased_for_each_truth(random: np.random.Generator) -> None:
    members = random.normal(1.0, 2.0, (5, 100_000))
    mean, spread = members.mean(axis=0), members.std(axis=0, ddof=1)
    for truth in (-4.0, 1.0, 2.5):
        fair = fair_gaussian_crps(mean - truth, spread, 5)
        assert abs(fair.mean() - gaussian_crps(1.0 - truth, 2.0)) < 4.0 * stats.sem(fair)


def test_fair_gaussian_crps_of_two_members_is_their_fair_crps(random: np.random.Generator) -> None:
    members, truth = random.normal(size=(2, 300)), random.normal(size=300)
    error, spread = members.mean(axis=0) - truth, members.std(axis=0, ddof=1)
    _, fair = brute_force(members, truth)
    np.testing.assert_allclose(fair_gaussian_crps(error, spread, 2), fair, atol=1e-12)


def test_fair_gaussian_crps_of_four_members_by_hand() -> None:
    # T is uniform from -1 to 1, r = 3/2: (0.5**2 + 1.5**2) / (2 * 1.5) = 5/6. c = sqrt(2/3) * 1 /
    # (sqrt(pi) / 2), so that 1 / (c sqrt(pi)) = sqrt(3/8).
    found = fair_gaussian_crps(np.array([0.5, 2.0]), np.array(1.0), 4)
    np.testing.assert_allclose(found, np.array([5 / 6, 2.0]) - np.sqrt(3 / 8))


@pytest.mark.parametrize("members", [3, 4, 5, 6, 9, 10, 31, 100, 101, 1000])
def test_fair_gaussian_crps_of_any_size_equals_its_integral(members: int) -> None:
    """The mean of |X - y| over what a member can be, given mean 0 and spread 1 of M members."""
    reach = (members - 1) / np.sqrt(members)
    law = stats.beta(members / 2 - 1, members / 2 - 1, loc=-reach, scale=2 * reach)
    truth = reach * np.array([-0.9, -0.3, 0.0, 0.02, 0.5, 0.999])
    # The mean of |X - y| is the integral of P(X > x) beyond y and of P(X < x) before it.
    distance = [
        integrate.quad(law.cdf, -reach, y, limit=200)[0]
        + integrate.quad(law.sf, y, reach, limit=200)[0]
        for y in truth
    ]
    unbiased = stats.chi.mean(members - 1) / np.sqrt(members - 1)
    found = fair_gaussian_crps(-truth, np.array(1.0), members)
    np.testing.assert_allclose(found, distance - 1 / (unbiased * np.sqrt(np.pi)), atol=2e-7)


def test_fair_gaussian_crps_of_very_many_members_is_the_plain_one() -> None:
    error, spread = np.array([-3.0, 0.0, 0.4, 9.0]), np.array([1.0, 2.0, 0.0, 0.5])
    found = fair_gaussian_crps(error, spread, 10**6)
    np.testing.assert_allclose(found, gaussian_crps(error, spread), rtol=1e-5)
    np.testing.assert_array_equal(fair_gaussian_crps(error, spread, 1), np.abs(error))
