import numpy as np
import pytest

from stormdraw.scores.pointwise import PointScores, score_gaussian, score_members

ARRAYS = ("valid", "error", "variance", "crps_standard", "crps_fair", "crps_gaussian")
INTEGERS = ("below", "equal")


def test_mean_and_variance_by_hand() -> None:
    scores = score_members(np.array([[1.0], [2.0], [6.0]]), np.array([1.0]))
    assert scores.members == 3
    assert scores.error[0] == 2.0
    assert scores.variance[0] == 7.0  # (4 + 1 + 9) / 2
    assert (scores.below[0], scores.equal[0]) == (0, 1)


def test_mean_and_variance_of_random_members(random: np.random.Generator) -> None:
    members = random.normal(290.0, 1.0, (12, 500)).astype(np.float32)
    truth = random.normal(290.0, 1.0, 500).astype(np.float32)
    scores = score_members(members, truth)
    members, truth = members.astype(float), truth.astype(float)
    np.testing.assert_allclose(scores.error, members.mean(axis=0) - truth, atol=1e-11)
    np.testing.assert_allclose(scores.variance, members.var(axis=0, ddof=1), rtol=1e-10)
    np.testing.assert_array_equal(scores.below, (members < truth).sum(axis=0))


def test_equal_members_have_no_variance_at_all() -> None:
    scores = score_members(np.full((7, 4), 287.3, np.float32), np.full(4, 290.1, np.float32))
    np.testing.assert_array_equal(scores.variance, 0.0)
    np.testing.assert_allclose(scores.crps_fair, 2.8, rtol=1e-5)
    np.testing.assert_allclose(scores.crps_gaussian, scores.crps_standard, rtol=1e-12)


def test_one_member_has_no_variance() -> None:
    scores = score_members(np.array([[3.0]]), np.array([5.0]))
    assert scores.variance[0] == 0.0
    assert scores.crps_standard[0] == scores.crps_fair[0] == scores.crps_gaussian[0] == 2.0


@pytest.mark.parametrize("block_values", [1, 60, 61, 1000])
def test_blocks_and_member_order_do_not_change_a_bit(
    block_values: int, random: np.random.Generator
) -> None:
    members = np.round(random.normal(size=(6, 333)), 1).astype(np.float32)
    members[2, 17] = np.nan
    truth = np.round(random.normal(size=333), 1).astype(np.float32)
    whole = score_members(members, truth)
    for other in (
        score_members(members, truth, block_values=block_values),
        score_members(members[::-1], truth, block_values=block_values, threads=2),
    ):
        for name in (*ARRAYS, *INTEGERS):
            np.testing.assert_array_equal(getattr(other, name), getattr(whole, name), name)


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_point_counts_only_where_all_is_finite(hole: float, random: np.random.Generator) -> None:
    members, truth = random.normal(size=(5, 4)), random.normal(size=4)
    members[3, 1] = hole
    truth[2] = hole
    scores = score_members(members, truth)
    np.testing.assert_array_equal(scores.valid, [True, False, False, True])
    whole = score_members(members[:, [0, 3]], truth[[0, 3]])
    np.testing.assert_array_equal(scores.crps_fair[[0, 3]], whole.crps_fair)


def test_gaussian_system_has_no_ensemble_scores() -> None:
    nan = np.nan
    mean = np.array([1.0, nan, 1.0, 1.0, 1.0], np.float32)
    spread = np.array([2.0, 2.0, nan, -0.1, 2.0], np.float32)
    truth = np.array([0.0, 0.0, 0.0, 0.0, nan], np.float32)
    scores: PointScores = score_gaussian(mean, spread, truth)
    np.testing.assert_array_equal(scores.valid, [True, False, False, False, False])
    assert scores.members == 0
    assert scores.error[0] == 1.0
    assert scores.variance[0] == 4.0
    assert np.isnan(scores.crps_fair).all()
    assert np.isnan(scores.crps_standard).all()
    assert np.isfinite(scores.crps_gaussian[0])


@pytest.mark.parametrize("members", [3, 10, 100])
def test_spread_error_ratio_of_a_calibrated_ensemble_is_one(members: int) -> None:
    random = np.random.default_rng(members)
    points = 40_000
    # The centre of the true distribution moves from point to point, as weather does.
    centre = random.normal(0.0, 3.0, points)
    scores = score_members(
        centre + random.normal(size=(members, points)), centre + random.normal(size=points)
    )
    ratio = np.sqrt((members + 1) / members * scores.variance.mean() / (scores.error**2).mean())
    # Relative standard errors of the two means over points: sqrt(2 / points) or less each.
    assert abs(ratio - 1.0) < 4 * 0.5 * np.sqrt(4.0 / points)
