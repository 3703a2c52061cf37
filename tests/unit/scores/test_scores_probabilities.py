import numpy as np
import pytest
import scoringrules
import xarray as xr
import xskillscore
from scored_fields import fields_of, limit_of
from scores.probability import brier_score_for_ensemble, roc_curve_data

from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.statistics.event_probabilities import (
    SCORE,
    brier_decomposition,
    brier_sums,
    contingency,
    observed_frequency,
    performance,
    reliability,
    reliability_bins,
    roc,
    roc_area,
)
from stormdraw.scores.statistics.neighbourhood_maximum_probability import (
    members_in_neighbourhoods,
)
from stormdraw.scores.verification import Event

POINTS = 400


@pytest.fixture
def members(random: np.random.Generator) -> np.ndarray:
    return random.normal(0.3, 1.0, (5, POINTS))


@pytest.fixture
def truth(random: np.random.Generator, members: np.ndarray) -> np.ndarray:
    """Not without relation to the members."""
    return members.mean(axis=0) + random.normal(size=POINTS)


@pytest.fixture
def weights(random: np.random.Generator) -> np.ndarray:
    return random.uniform(0.5, 1.5, POINTS)


def shares(members: int) -> np.ndarray:
    """The probabilities that so many members can tell."""
    return np.arange(members + 1) / members


def exceedance_table(
    exceeding: np.ndarray, event: np.ndarray, weights: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The tables (region, M + 1) of M members of which so many have the event, (point,)."""
    members = (np.arange(count)[:, None, None] < exceeding).astype(np.float32)
    truth = event.astype(np.float32)[None]
    fields = fields_of(Forecast("REFC", members), truth, weights[:, None])
    assert SCORE.event is not None
    made = SCORE.event(Event(fields, limit_of(0.5)))
    return made["probability_weight_sum"], made["probability_event_sum"]


def tables(
    members: np.ndarray, truth: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    exceeding = (members >= 0.5).sum(axis=0)
    everywhere, with_event = exceedance_table(exceeding, truth >= 0.5, weights[None], len(members))
    return everywhere[0], with_event[0]


def test_three_points_by_hand() -> None:
    # Two members. Probabilities 0, 1/2, 1 with outcomes no, yes, no: (0 + 1/4 + 1) / 3.
    everywhere, with_event = exceedance_table(
        np.array([0, 1, 2]), np.array([False, True, False]), np.ones((1, 3)), 2
    )
    score, dispersion = brier_sums(shares(2), everywhere, with_event)
    assert score[0] == pytest.approx(1.25)
    assert dispersion[0] == pytest.approx(0.25)
    hits, false_alarms, misses, negatives = contingency(everywhere[0], with_event[0])
    assert list(hits) == [1, 1, 0]
    assert list(false_alarms) == [2, 1, 1]
    assert list(misses) == [0, 0, 1]
    assert list(negatives) == [0, 1, 1]


@pytest.mark.parametrize("threshold", [273.15, 273.1, 273.0])
def test_a_value_of_the_threshold_reaches_it_in_members_as_in_the_truth(threshold: float) -> None:
    """In single precision, in which 273.15 is less than 273.15 in double, and 273.1 more."""
    at = np.float32(threshold)
    truth = np.array([[np.nextafter(at, np.float32(0.0)), at]])
    fields = fields_of(Forecast("T2M", np.stack([truth, truth])), truth, np.ones((1, 1, 2)))
    limit = limit_of(threshold)
    event = Event(fields, limit)
    np.testing.assert_array_equal(event.observed, [[False, True]])
    np.testing.assert_array_equal(event.classes, [[0, 2]])
    reached = members_in_neighbourhoods(fields.members, limit, fields.valid, [1])
    np.testing.assert_array_equal(reached[0], event.classes)


def test_brier_score_equals_a_loop(
    members: np.ndarray, truth: np.ndarray, weights: np.ndarray
) -> None:
    everywhere, with_event = tables(members, truth, weights)
    total = sum(
        weight * (np.mean(column >= 0.5) - float(y >= 0.5)) ** 2
        for column, y, weight in zip(members.T, truth, weights, strict=True)
    )
    score, _ = brier_sums(shares(5), everywhere, with_event)
    assert score == pytest.approx(total, rel=1e-12)


def test_brier_scores_equal_other_libraries(members: np.ndarray, truth: np.ndarray) -> None:
    everywhere, with_event = tables(members, truth, np.ones(POINTS))
    score, dispersion = brier_sums(shares(5), everywhere, with_event)
    forecast = xr.DataArray(members, dims=("member", "point"))
    observed = xr.DataArray(truth, dims="point")
    probability, event = (members >= 0.5).mean(axis=0), (truth >= 0.5).astype(float)
    standard = {
        "scoringrules": scoringrules.brier_score(event, probability).mean(),
        "xskillscore": float(
            xskillscore.brier_score(observed >= 0.5, (forecast >= 0.5).mean("member"), dim="point")
        ),
        "scores": float(
            brier_score_for_ensemble(forecast, observed, "member", 0.5, fair_correction=False)
            .squeeze()
            .values
        ),
    }
    for library, value in standard.items():
        assert score / POINTS == pytest.approx(value, rel=1e-9), library
    fair = {
        "xskillscore": float(
            xskillscore.brier_score(
                observed >= 0.5, forecast >= 0.5, member_dim="member", fair=True, dim="point"
            )
        ),
        "scores": float(
            brier_score_for_ensemble(forecast, observed, "member", 0.5).squeeze().values
        ),
    }
    for library, value in fair.items():
        assert (score - dispersion / 4) / POINTS == pytest.approx(value, rel=1e-9), library


def test_parts_add_up_to_the_brier_score(
    members: np.ndarray, truth: np.ndarray, weights: np.ndarray
) -> None:
    everywhere, with_event = tables(members, truth, weights)
    score, _ = brier_sums(shares(5), everywhere, with_event)
    reliability, resolution, uncertainty = brier_decomposition(shares(5), everywhere, with_event)
    assert reliability - resolution + uncertainty == pytest.approx(score / weights.sum(), rel=1e-12)
    assert min(reliability, resolution) >= 0.0
    rate = np.average(truth >= 0.5, weights=weights)
    assert uncertainty == pytest.approx(rate * (1 - rate))


def test_roc_equals_the_scores_library(members: np.ndarray, truth: np.ndarray) -> None:
    everywhere, with_event = tables(members, truth, np.ones(POINTS))
    false_alarm_rate, hit_rate = roc(everywhere, with_event)
    assert (false_alarm_rate[0], hit_rate[0]) == (1.0, 1.0)
    assert (false_alarm_rate[-1], hit_rate[-1]) == (0.0, 0.0)
    theirs = roc_curve_data(
        xr.DataArray((members >= 0.5).mean(axis=0), dims="point"),
        xr.DataArray((truth >= 0.5).astype(float), dims="point"),
        # A little lower than k / 5, since 3 / 5 is not 0.6; the library adds (0, 0).
        [0.0, *(np.arange(1, 6) / 5 - 0.01)],
    )
    np.testing.assert_allclose(hit_rate, theirs["POD"], atol=1e-12)
    np.testing.assert_allclose(false_alarm_rate, theirs["POFD"], atol=1e-12)
    assert roc_area(everywhere, with_event) == pytest.approx(float(theirs["AUC"]))


def test_roc_area_is_the_probability_of_ranking_an_event_above_a_non_event(
    members: np.ndarray, truth: np.ndarray
) -> None:
    forecast, event = (members >= 0.5).sum(axis=0), truth >= 0.5
    difference = forecast[event][:, None] - forecast[~event]
    chance = np.mean((difference > 0) + 0.5 * (difference == 0))
    assert roc_area(*tables(members, truth, np.ones(POINTS))) == pytest.approx(chance)


def test_a_perfect_and_a_worthless_forecast() -> None:
    event = np.array([True, False, True, False])
    perfect = exceedance_table(np.where(event, 3, 0), event, np.ones((1, 4)), 3)
    assert roc_area(*perfect) == pytest.approx(1.0)
    worthless = exceedance_table(np.array([1, 1, 2, 2]), event, np.ones((1, 4)), 3)
    assert roc_area(*worthless) == pytest.approx(0.5)
    success, hit_rate, bias, csi = performance(*perfect)
    for values in (success, hit_rate, bias, csi):
        np.testing.assert_array_equal(values[0, 1:], 1.0)


def in_tenths(*tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the probability, and the weights of all points and of those with the event."""
    probability, everywhere, with_event = tables
    sums = (everywhere, with_event, everywhere * probability)
    return reliability(*(reliability_bins(probability, own) for own in sums))


def test_reliability_in_tenths_by_hand() -> None:
    probability = np.array([0.0, 0.02, 0.1, 0.3, 0.95, 1.0])
    everywhere = np.array([6.0, 2.0, 4.0, 1.0, 1.0, 3.0])
    with_event = np.array([0.0, 1.0, 1.0, 1.0, 0.0, 3.0])
    mean, observed = in_tenths(probability, everywhere, with_event)
    expected = np.full((2, 10), np.nan)
    expected[:, 0] = 2 * 0.02 / 8, 1 / 8
    expected[:, 1] = 0.1, 1 / 4
    expected[:, 3] = 0.3, 1.0
    expected[:, 9] = 3.95 / 4, 3 / 4
    np.testing.assert_allclose([mean, observed], expected)


def test_a_reliable_forecast_lies_on_the_diagonal() -> None:
    probability = np.linspace(0.0, 1.0, 51)
    everywhere = np.random.default_rng(4).uniform(1.0, 9.0, 51)
    mean, observed = in_tenths(probability, everywhere, everywhere * probability)
    np.testing.assert_allclose(mean, observed)
    assert (np.diff(mean) > 0).all()


def test_without_an_event_nothing_is_invented() -> None:
    table = exceedance_table(np.array([0, 1]), np.zeros(2, bool), np.ones((1, 2)), 2)
    assert np.isnan(roc_area(*table)).all()
    assert np.isnan(observed_frequency(*table)[0, 2])
    reliability, resolution, uncertainty = brier_decomposition(shares(2), *table)
    assert (resolution[0], uncertainty[0]) == (0.0, 0.0)
    assert reliability[0] == pytest.approx(0.125)


def test_fair_brier_score_does_not_depend_on_the_number_of_members() -> None:
    random = np.random.default_rng(3)
    points = 60_000
    chance = random.uniform(size=points)
    event = random.uniform(size=points) < chance
    limit = np.mean((chance - event) ** 2)
    for count in (3, 10, 50):
        exceeding = random.binomial(count, chance)
        table = exceedance_table(exceeding, event, np.ones((1, points)), count)
        score, dispersion = brier_sums(shares(count), *table)
        fair = (score - dispersion / (count - 1))[0] / points
        assert fair == pytest.approx(limit, abs=0.004), count
        assert score[0] / points > limit + 0.1 / count
