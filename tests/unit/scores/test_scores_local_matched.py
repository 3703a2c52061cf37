"""The local probability-matched mean."""

import numpy as np
import pytest
from scored_fields import fields_of

from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.statistics.local_probability_matched_mean import (
    SCORE,
    local_probability_matched_mean,
)
from stormdraw.scores.statistics.probability_matched_mean import probability_matched_mean

SHAPE = (23, 31)
EVERYWHERE = np.ones(SHAPE, bool)


@pytest.fixture
def members(random: np.random.Generator) -> np.ndarray:
    """Seven members of few different values, so that many are equal."""
    return np.round(random.gamma(0.5, 3.0, (7, *SHAPE))).astype(np.float32)


def patch_by_patch(members: np.ndarray, valid: np.ndarray, patch: int) -> np.ndarray:
    """Each area three patches wide matched by itself, of which the middle patch is kept."""
    found = np.zeros(valid.shape, members.dtype)
    for y in range(0, valid.shape[0], patch):
        for x in range(0, valid.shape[1], patch):
            area = slice(max(y - patch, 0), y + 2 * patch), slice(max(x - patch, 0), x + 2 * patch)
            inside = valid[area]
            flat = members[:, *area].reshape(len(members), -1)
            matched = probability_matched_mean(flat, inside.ravel()).reshape(inside.shape)
            middle = (
                slice(y - area[0].start, y - area[0].start + patch),
                slice(x - area[1].start, x - area[1].start + patch),
            )
            found[y : y + patch, x : x + patch] = matched[middle]
    return found


@pytest.mark.parametrize("patch", [1, 2, 4, 7, 20])
@pytest.mark.parametrize("share", [1.0, 0.7, 0.02])
def test_each_patch_is_matched_within_its_surroundings(
    members: np.ndarray, random: np.random.Generator, patch: int, share: float
) -> None:
    valid = random.uniform(size=SHAPE) < share
    members[2, ~valid] = np.nan
    expected = patch_by_patch(members, valid, patch)
    for threads in (1, 3):
        found = local_probability_matched_mean(members, valid, patch, threads)
        np.testing.assert_array_equal(found, expected, err_msg=f"{threads} threads")


def test_one_patch_is_the_matched_mean_of_the_domain(members: np.ndarray) -> None:
    expected = probability_matched_mean(members.reshape(7, -1)).reshape(SHAPE)
    found = local_probability_matched_mean(members, EVERYWHERE, 31)
    np.testing.assert_array_equal(found, expected)


def test_one_member_is_its_own_matched_mean(members: np.ndarray) -> None:
    found = local_probability_matched_mean(members[:1], EVERYWHERE, 4)
    np.testing.assert_array_equal(found, members[0])


def test_distant_storms_do_not_intensify_drizzle() -> None:
    """Drizzle that all members agree on in the west, storms that no two have alike in the east."""
    members = np.zeros((4, 6, 36), np.float32)
    members[:, :, :6] = 3.0
    for member in range(4):
        members[member, :, 30 + member] = 9.0
    # Where there are storms the mean is 9/4, less than in the drizzle, which gets their values.
    everywhere = probability_matched_mean(members.reshape(4, -1)).reshape(6, 36)
    assert everywhere[:, :6].max() == 9.0
    assert everywhere[:, 30:].max() == 3.0
    local = local_probability_matched_mean(members, np.ones((6, 36), bool), 6)
    np.testing.assert_array_equal(local[:, :6], 3.0)
    assert local[:, 30:].max() == 9.0


def test_scores_of_the_local_matched_mean_are_those_of_its_field(
    members: np.ndarray, random: np.random.Generator
) -> None:
    truth = np.round(random.gamma(0.5, 3.0, SHAPE)).astype(np.float32)
    weights = random.uniform(0.5, 1.5, (1, *SHAPE)) * (random.uniform(size=SHAPE) < 0.9)
    settings = {"thresholds": {"REFC": [2.0]}, "local_patch": 5}
    fields = fields_of(Forecast("REFC", members), truth, weights, **settings)
    assert SCORE.fields
    found = SCORE.fields(fields)
    error = patch_by_patch(members, weights[0] > 0.0, 5) - truth
    expected = (weights[0] * error.astype(np.float64) ** 2).sum()
    np.testing.assert_allclose(found["lpmm_squared_error_sum"], [expected], rtol=1e-9)
