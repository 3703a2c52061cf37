"""The toy world of displaced storms has the properties that tests of calibration rest on."""

import numpy as np
import pytest
from storm_world import FLOOR, Nature, storm_world

LEADS = (1, 3)


def squared_ratio(world, name):
    """Spread-error ratio squared, by lead: 1 where truth and members are of one distribution."""
    drawn, truth = world.members[name].astype(float), world.truth[name].astype(float)
    members = drawn.shape[1]
    variance = drawn.var(axis=1, ddof=1).mean(axis=(0, 2, 3))
    error = ((drawn.mean(axis=1) - truth) ** 2).mean(axis=(0, 2, 3))
    return (members + 1) / members * variance / error


def test_truth_is_a_draw_of_the_members_distribution_where_their_noise_is_one():
    world = storm_world(cases=150, members=8, leads=LEADS, size=32)
    assert squared_ratio(world, "REFC") == pytest.approx(1, abs=0.1)
    assert squared_ratio(world, "T2M") == pytest.approx(1, abs=0.15)


def test_less_noise_takes_the_variance_of_its_square_from_the_temperature():
    whole = storm_world(cases=2, leads=LEADS)
    less = storm_world(cases=2, leads=LEADS, temperature_noise=0.5)
    np.testing.assert_allclose(
        less.members["T2M"].var(axis=1), 0.25 * whole.members["T2M"].var(axis=1), rtol=1e-2
    )
    assert (less.truth["T2M"] == whole.truth["T2M"]).all()
    assert (less.members["REFC"] == whole.members["REFC"]).all()


def test_a_storm_is_displaced_in_proportion_to_noise_and_lead():
    alone = Nature(storms=1, births=0, strength=0, width=(2.5, 2.5))
    still, whole, half = (
        storm_world(
            cases=40, members=1, leads=LEADS, displacement_noise=noise, nature=alone, size=64
        )
        for noise in (0.0, 1.0, 0.5)
    )

    def moved(world):
        """From where a storm would be without noise, (case, lead, coordinate) in points."""
        peaks = [
            np.stack(
                np.unravel_index(w.members["REFC"][:, 0].reshape(40, 2, -1).argmax(-1), [64] * 2)
            )
            for w in (world, still)
        ]
        away = (peaks[0] - peaks[1] + 32) % 64 - 32
        return np.moveaxis(away, 0, -1)

    # Peaks are found to the nearest point.
    assert np.abs(moved(whole)[:, 1] - 2 * moved(half)[:, 1]).max() <= 3
    assert moved(whole)[:, 1].std() == pytest.approx(1.5 * 3, rel=0.3)
    assert moved(whole)[:, 0].std() == pytest.approx(1.5, rel=0.35)


def test_reflectivity_rests_on_its_floor_between_storms():
    echo = storm_world(cases=2).truth["REFC"]
    assert echo.min() == FLOOR
    assert 0.3 < (echo == FLOOR).mean() < 0.9
    assert (echo > 40).any()
