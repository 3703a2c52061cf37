import numpy as np
import pytest
from scored_fields import points_of

from stormdraw.scores.block import Block, block_sums
from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.settings import Scores
from stormdraw.scores.statistics.crps import gaussian_crps
from stormdraw.scores.verification import Points


def test_mean_and_variance_by_hand() -> None:
    scores = points_of(np.array([[1.0], [2.0], [6.0]]), np.array([1.0]))
    assert scores.members == 3
    assert scores.error[0] == 2.0
    assert scores.variance[0] == 7.0  # (4 + 1 + 9) / 2
    assert (scores.below[0], scores.equal[0]) == (0, 1)


def test_mean_and_variance_of_random_members(random: np.random.Generator) -> None:
    members = random.normal(290.0, 1.0, (12, 500)).astype(np.float32)
    truth = random.normal(290.0, 1.0, 500).astype(np.float32)
    scores = points_of(members, truth)
    members, truth = members.astype(float), truth.astype(float)
    np.testing.assert_allclose(scores.error, members.mean(axis=0) - truth, atol=1e-11)
    np.testing.assert_allclose(scores.variance, members.var(axis=0, ddof=1), rtol=1e-10)
    np.testing.assert_array_equal(scores.below, (members < truth).sum(axis=0))


def test_equal_members_have_no_variance_at_all() -> None:
    scores = points_of(np.full((7, 4), 287.3, np.float32), np.full(4, 290.1, np.float32))
    np.testing.assert_array_equal(scores.variance, 0.0)
    np.testing.assert_allclose(scores.crps_fair, 2.8, rtol=1e-5)
    gaussian = gaussian_crps(scores.error, np.sqrt(scores.variance))
    np.testing.assert_allclose(gaussian, scores.crps_standard, rtol=1e-12)


def test_one_member_has_no_variance() -> None:
    scores = points_of(np.array([[3.0]]), np.array([5.0]))
    assert scores.variance[0] == 0.0
    assert scores.crps_standard[0] == scores.crps_fair[0] == 2.0


def reduced(members: np.ndarray, truth: np.ndarray, threads: int) -> dict[str, np.ndarray]:
    """All sums of members (member, y, x) and their map, of one variable at one lead."""
    weights = np.random.default_rng(0).uniform(0.5, 1.5, (1, *truth.shape))
    points, labels = np.ones(truth.shape, bool), ("2026060806", "REFC", 1)
    block = Block(Forecast("REFC", members), truth, weights, points, Scores(), 0, labels, threads)
    sums, maps = block_sums(block)
    return sums | maps


@pytest.mark.parametrize(("most_values", "threads"), [(1000, 2), (300, 2), (301, 1)])
def test_blocks_threads_and_member_order_change_no_score(
    most_values: int, threads: int, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many ties, whose ranks are drawn; and a hole, where no point counts."""
    members = np.round(random.normal(20.0, 5.0, (6, 20, 30))).astype(np.float32)
    members[2, 1, 7] = np.nan
    truth = np.round(random.normal(20.0, 5.0, (20, 30))).astype(np.float32)
    whole = reduced(members, truth, 1)
    monkeypatch.setattr("stormdraw.scores.block._MOST_VALUES", most_values)
    for other in (reduced(members, truth, threads), reduced(members[::-1], truth, threads)):
        assert other.keys() == whole.keys()
        for name in ("crps_map", "rank_counts", "points", "mask_checksum"):
            np.testing.assert_array_equal(other[name], whole[name], name)
        for name, values in other.items():
            np.testing.assert_allclose(values, whole[name], rtol=1e-5, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_point_counts_only_where_truth_and_all_members_are_finite(
    hole: float, random: np.random.Generator
) -> None:
    members, truth = random.normal(size=(5, 4)), random.normal(size=4)
    members[3, 1] = hole
    truth[2] = hole
    scores = points_of(members, truth)
    np.testing.assert_array_equal(scores.valid, [True, False, False, True])
    whole = points_of(members[:, [0, 3]], truth[[0, 3]])
    np.testing.assert_array_equal(scores.crps_fair[[0, 3]], whole.crps_fair)


def test_gaussian_system_has_no_ensemble_scores() -> None:
    nan = np.nan
    mean = np.array([1.0, nan, 1.0, 1.0, 1.0], np.float32)
    spread = np.array([2.0, 2.0, nan, -0.1, 2.0], np.float32)
    truth = np.array([0.0, 0.0, 0.0, 0.0, nan], np.float32)
    scores = Points.of_gaussian(mean, spread, truth, np.ones((1, 5)))
    np.testing.assert_array_equal(scores.valid, [True, False, False, False, False])
    assert scores.members == 0
    assert scores.error[0] == 1.0
    assert scores.variance[0] == 4.0
    assert np.isnan(scores.crps_fair).all()
    assert np.isnan(scores.crps_standard).all()


@pytest.mark.parametrize("members", [3, 10, 100])
def test_spread_error_ratio_of_a_calibrated_ensemble_is_one(members: int) -> None:
    random = np.random.default_rng(members)
    points = 40_000
    # The centre of the true distribution moves from point to point, as weather does.
    centre = random.normal(0.0, 3.0, points)
    scores = points_of(
        centre + random.normal(size=(members, points)), centre + random.normal(size=points)
    )
    ratio = np.sqrt((members + 1) / members * scores.variance.mean() / (scores.error**2).mean())
    # Relative standard errors of the two means over points: sqrt(2 / points) or less each.
    assert abs(ratio - 1.0) < 4 * 0.5 * np.sqrt(4.0 / points)
