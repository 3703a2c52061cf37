"""Members in the order of raw ones, in worlds where the right distribution is known."""

import numpy as np
import pytest
import scoringrules
from scipy.special import logit
from storm_world import storm_world

from stormdraw.ensembles.copula import AROUND, couple, moments
from stormdraw.ensembles.emos import Coefficients, fit
from stormdraw.ensembles.marginals import Marginal
from stormdraw.variables import variable

TEMPERATURE, ECHO = Marginal(variable("T2M")), Marginal(variable("REFC"))
CAPE, INHIBITION = Marginal(variable("CAPE")), Marginal(variable("CIN"))
WIDER = Coefficients(a=1.0, b=1.0, c=0.5, d=2.0)


def in_order(members: int) -> np.ndarray:
    return np.arange(members)


def fields(marginal: Marginal, members: int = 9, missing: bool = False) -> np.ndarray:
    """Raw members (member, 12, 20) without ties above the floor, a third of them at it."""
    random = np.random.default_rng(7)
    values = random.uniform(0.0, 1.0, (members, 12, 20))
    row = marginal.row
    if marginal.has_floor:
        far = row.lower if row.floor == row.upper else row.upper
        values = row.floor + np.maximum(0.0, values - 0.33) * 0.3 * (far - row.floor)
    else:
        values = 285.0 + 3.0 * values
    if missing:
        values[2] = np.nan
        values[4, :5] = np.nan
    return values.astype(np.float32)


@pytest.mark.parametrize("marginal", [TEMPERATURE, ECHO, CAPE, INHIBITION], ids=str)
@pytest.mark.parametrize("missing", [False, True])
def test_no_two_members_change_their_order(marginal: Marginal, missing: bool) -> None:
    raw = fields(marginal, missing=missing)
    found = couple(raw, marginal, WIDER, in_order(9))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(raw))
    for one in range(9):
        for other in range(9):
            before = raw[one] - raw[other]
            after = found[one] - found[other]
            assert not (before * after < 0).any()
            if not marginal.has_floor:
                np.testing.assert_array_equal(before > 0, after > 0)
    assert marginal.row.lower <= np.nanmin(found) <= np.nanmax(found) <= marginal.row.upper


def test_members_with_a_floor_are_evenly_spaced_quantiles() -> None:
    raw = fields(ECHO, missing=True)
    coefficients = Coefficients(a=8.0, b=0.9, c=4.0, d=1.1)
    found = np.sort(couple(raw, ECHO, coefficients, in_order(9)), axis=0)
    for row, there in ((2, 7), (8, 8)):
        own = raw[:, row, 3].astype(float)
        mean, variance = np.nanmean(own), np.nanvar(own, ddof=1)
        levels = np.arange(1, there + 1) / (there + 1)
        scale = np.sqrt(3.0 * (4.0 + 1.1 * variance)) / np.pi
        right = np.maximum(8.0 + 0.9 * mean + scale * logit(levels), -10.0)
        np.testing.assert_allclose(found[:there, row, 3], right, rtol=1e-6)


def test_a_temperature_keeps_its_distance_from_the_mean() -> None:
    """Of five members, worked by hand: mean 284, variance 10, fitted 286 and 0.5 + 2 * 10."""
    raw = np.array([280.0, 282.0, 284.0, 286.0, 288.0], np.float32)[:, None, None]
    found = couple(raw, TEMPERATURE, Coefficients(2.0, 1.0, 0.5, 2.0), in_order(5))
    stretched = np.sqrt(20.5 * 5 / 6 / 10)
    right = 286.0 + stretched * np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
    np.testing.assert_allclose(found[:, 0, 0], right, rtol=1e-7)


def test_two_members_are_as_far_apart_as_one_and_the_truth() -> None:
    """The mean square over all pairs, which makes the spread-error ratio 1."""
    random = np.random.default_rng(11)
    centre = 285.0 + random.normal(size=(1, 100, 100))
    truth = centre[0] + random.normal(size=(100, 100))
    raw = centre + 0.4 * random.normal(size=(6, 100, 100))
    mean, variance, _ = moments(raw)
    coefficients = fit(TEMPERATURE, mean.ravel(), variance.ravel(), truth.ravel())
    found = couple(raw.astype(np.float32), TEMPERATURE, coefficients, in_order(6))
    apart = 2.0 * found.var(axis=0, ddof=1).mean()
    assert apart == pytest.approx(((found - truth) ** 2).mean(), rel=0.02)
    assert 2.0 * raw.var(axis=0, ddof=1).mean() < 0.4 * ((raw - truth) ** 2).mean()


@pytest.mark.parametrize("spread", [0.4, 1.0])
def test_the_fair_crps_of_members_that_had_too_little_spread_is_too_good(spread: float) -> None:
    """Of M members: sqrt((1 + s^2 / M) / (1 + 1 / M)) times the truth's own, 1 / sqrt(pi)."""
    count, random = 6, np.random.default_rng(12)
    centre, truth = 285.0 + np.zeros((200, 200)), 285.0 + random.normal(size=(200, 200))
    raw = centre + spread * random.normal(size=(count, 200, 200))
    # The variance of the truth about the ensemble mean, in proportion to that of the members.
    about_mean = Coefficients(0.0, 1.0, 0.0, 1.0 / spread**2 + 1.0 / count)
    found = couple(raw, TEMPERATURE, about_mean, in_order(count))
    fair = scoringrules.crps_ensemble(truth, found, m_axis=0, estimator="fair").mean()
    flattered = np.sqrt((1 + spread**2 / count) / (1 + 1 / count))
    assert fair == pytest.approx(flattered / np.sqrt(np.pi), rel=0.015)


def test_the_member_with_a_storm_near_gets_the_first_echo() -> None:
    raw = np.full((3, 40, 40), -10.0, np.float32)
    raw[1, 20, 24:30] = 40.0
    likely = Coefficients(a=12.0, b=1.0, c=100.0, d=1.0)
    for order in ([0, 1, 2], [1, 2, 0], [2, 0, 1]):
        found = couple(raw, ECHO, likely, np.array(order))
        beside = slice(24 - AROUND, 24)
        assert (found[1, 20, beside] > found[[0, 2], 20, beside].max(axis=0)).all()
        # Far from all storms it is the order, everywhere the same.
        far = found[:, 2:8, 2:8].reshape(3, -1)
        assert (np.argsort(far, axis=0) == np.array(order)[:, None]).all()


def test_moments_are_those_of_the_members_that_are_not_missing() -> None:
    nan = np.nan
    mean, variance, count = moments(np.array([[1.0, 1.0, nan], [4.0, nan, nan], [nan, nan, nan]]))
    np.testing.assert_array_equal(mean, [2.5, 1.0, nan])
    np.testing.assert_array_equal(variance, [4.5, 0.0, nan])
    assert count.tolist() == [2, 1, 0]


def test_members_that_are_all_alike_get_a_spread() -> None:
    raw = np.full((4, 3, 3), 280.0, np.float32)
    found = couple(raw, TEMPERATURE, Coefficients(0.0, 1.0, 1.0, 1.0), np.array([2, 0, 1, 3]))
    assert (np.diff(found[[2, 0, 1, 3]], axis=0) > 0.3).all()
    np.testing.assert_allclose(found.mean(axis=0), 280.0, rtol=1e-6)


def test_rows_of_a_field_are_those_of_the_whole() -> None:
    raw = np.random.default_rng(4).uniform(-40.0, 30.0, (5, 40, 20)).clip(-10.0)
    whole = couple(raw, ECHO, WIDER, in_order(5))
    part = couple(
        raw[:, 10 - AROUND : 22 + AROUND], ECHO, WIDER, in_order(5), slice(AROUND, AROUND + 12)
    )
    np.testing.assert_allclose(part, whole[:, 10:22])


def calibrated(name: str, noise: float, members: int = 12) -> tuple[np.ndarray, ...]:
    """Raw and calibrated members (case, member, y, x) of new storms, and their truth.

    They are calibrated on other cases of the same world.
    """
    marginal = Marginal(variable(name))
    size = {"cases": 16, "members": members, "leads": (2,), "size": 40}
    noises = {"displacement_noise": noise, "temperature_noise": noise}
    past, new = (storm_world(seed=seed, **size, **noises) for seed in (1, 2))
    mean, variance, _ = moments(np.moveaxis(past.members[name][:, :, 0], 1, 0))
    coefficients = fit(marginal, mean.ravel(), variance.ravel(), past.truth[name].ravel())
    random = np.random.default_rng(0)
    raw = new.members[name][:, :, 0]
    found = [couple(case, marginal, coefficients, random.permutation(members)) for case in raw]
    return raw, np.array(found), new.truth[name][:, 0]


def ranks(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """How often the truth has each rank, 1 on average; ties are broken at random."""
    below = (members < truth[:, None]).sum(axis=1)
    equal = (members == truth[:, None]).sum(axis=1)
    chance = np.random.default_rng(1).uniform(size=below.shape)
    rank = below + np.floor(chance * (equal + 1)).astype(int)
    return np.bincount(rank.ravel(), minlength=members.shape[1] + 1) / rank.size * 13


def spread_error(members: np.ndarray, truth: np.ndarray) -> float:
    count = members.shape[1]
    variance = members.var(axis=1, ddof=1).mean()
    return float(np.sqrt((count + 1) / count * variance / ((members.mean(1) - truth) ** 2).mean()))


def test_temperature_of_the_storm_world_becomes_honest() -> None:
    raw, found, truth = calibrated("T2M", 0.5)
    assert spread_error(raw, truth) == pytest.approx(0.5, abs=0.05)
    assert spread_error(found, truth) == pytest.approx(1.0, abs=0.06)
    assert ranks(raw, truth)[[0, -1]].min() > 2.3
    assert ranks(found, truth).min() > 0.7
    assert ranks(found, truth).max() < 1.35


def test_temperature_of_the_storm_world_that_is_honest_stays_so() -> None:
    raw, found, truth = calibrated("T2M", 1.0)
    assert spread_error(found, truth) == pytest.approx(spread_error(raw, truth), abs=0.06)
    assert np.sqrt(((found - raw) ** 2).mean()) < 0.35


def test_echoes_of_the_storm_world_have_honest_ranks_and_stay_where_they_are() -> None:
    raw, found, truth = calibrated("REFC", 0.5)
    assert ranks(raw, truth)[[0, -1]].min() > 1.4
    assert 0.6 < ranks(found, truth).min() < ranks(found, truth).max() < 1.5
    assert found.min() == -10.0
    for one, other in ((0, 1), (3, 7), (10, 11)):
        before, after = raw[:, one] - raw[:, other], found[:, one] - found[:, other]
        assert not (before * after < 0).any()
