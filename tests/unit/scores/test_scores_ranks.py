import numpy as np
import pytest
from scipy import stats
from scored_fields import points_of

from stormdraw.scores.statistics.rank_histogram import ranks


def ranks_of(members: np.ndarray, truth: np.ndarray, seed: int = 0) -> np.ndarray:
    points = points_of(members, truth)
    return ranks(points.below, points.equal, np.random.default_rng(seed).random(truth.size))


def rank_counts(found: np.ndarray, members: int) -> np.ndarray:
    return np.bincount(found, minlength=members + 1)


def test_ranks_by_hand() -> None:
    members = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [4.0, 4.0, 4.0]])
    np.testing.assert_array_equal(ranks_of(members, np.array([0.5, 3.0, 5.0])), [0, 2, 3])


def test_a_tie_gets_a_random_rank_among_its_equals() -> None:
    members = np.repeat(np.array([[-1.0], [0.0], [0.0], [7.0]]), 3000, axis=1)
    found = ranks_of(members, np.zeros(3000))
    counts = rank_counts(found, 4)
    assert counts[0] == counts[4] == 0
    # Ranks 1, 2 and 3 with probability 1/3 each: within 4 standard deviations of 1000.
    assert np.abs(counts[1:4] - 1000).max() < 4 * np.sqrt(3000 * 2 / 9)


@pytest.mark.parametrize("members", [1, 3, 10])
def test_a_constant_field_gives_a_flat_histogram(members: int) -> None:
    found = ranks_of(np.full((members, 20_000), -10.0), np.full(20_000, -10.0))
    counts = rank_counts(found, members)
    assert counts.sum() == 20_000
    assert stats.chisquare(counts).pvalue > 1e-4


def test_a_calibrated_ensemble_gives_a_flat_histogram(random: np.random.Generator) -> None:
    draws = random.normal(size=(10, 20_000))
    # Rounding makes many ties, which must not show.
    for step in (1e-9, 1.0):
        rounded = np.round(draws / step) * step
        counts = rank_counts(ranks_of(rounded[1:], rounded[0]), 9)
        assert stats.chisquare(counts).pvalue > 1e-4


def test_an_underdispersive_ensemble_gives_a_u_shape(random: np.random.Generator) -> None:
    counts = rank_counts(
        ranks_of(0.4 * random.normal(size=(9, 20_000)), random.normal(size=20_000)), 9
    )
    assert min(counts[0], counts[-1]) > 2 * counts[1:-1].max()


def test_the_seed_determines_ranks_of_ties() -> None:
    members, truth = np.zeros((9, 500)), np.zeros(500)
    np.testing.assert_array_equal(ranks_of(members, truth, 1), ranks_of(members, truth, 1))
    assert (ranks_of(members, truth, 1) != ranks_of(members, truth, 2)).any()
