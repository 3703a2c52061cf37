"""The fair CRPS, against another library."""

import numpy as np
import scoringrules

from stormdraw.ensembles.fair_crps import fair_crps


def test_the_fair_crps_is_that_of_another_library() -> None:
    random = np.random.default_rng(2)
    members, observed = random.normal(size=(7, 50)), random.normal(size=50)
    right = scoringrules.crps_ensemble(observed, members.T, estimator="fair")
    np.testing.assert_allclose(fair_crps(members, observed), right, rtol=1e-9)


def test_missing_members_do_not_count() -> None:
    random = np.random.default_rng(2)
    members, observed = random.normal(size=(7, 50)), random.normal(size=50)
    members[2] = np.nan
    fewer = scoringrules.crps_ensemble(observed, np.delete(members, 2, 0).T, estimator="fair")
    np.testing.assert_allclose(fair_crps(members, observed), fewer, rtol=1e-9)


def test_a_single_member_has_the_distance_and_none_has_nothing() -> None:
    members = np.array([[3.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(fair_crps(members, np.array([1.0, 1.0])), [2.0, np.nan])
