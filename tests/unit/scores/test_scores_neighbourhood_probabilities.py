"""Neighbourhood ensemble probability and neighbourhood maximum ensemble probability."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest
import xarray as xr
from scipy import ndimage, stats
from scored_fields import fields_of, limit_of
from scores.probability import brier_score_for_ensemble, roc_auc

from stormdraw.scores.case_statistics import case_statistics
from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.score import Arrays
from stormdraw.scores.settings import Scores
from stormdraw.scores.statistics.event_probabilities import roc_area
from stormdraw.scores.statistics.neighbourhood_maximum_probability import (
    SCORE as NMEP,
)
from stormdraw.scores.statistics.neighbourhood_maximum_probability import (
    in_neighbourhoods,
    members_in_neighbourhoods,
)
from stormdraw.scores.statistics.neighbourhood_probability import LOWEST, class_sums
from stormdraw.scores.statistics.neighbourhood_probability import SCORE as NEP
from stormdraw.scores.sums import Cases
from stormdraw.scores.verification import Event

WIDTHS = [1, 3, 7]
SHAPE = (9, 12)


def event_of(forecast: Forecast, truth: np.ndarray, weights: np.ndarray, **more: int) -> Event:
    settings = {"thresholds": {"REFC": [1.0]}, "neighbourhoods": WIDTHS}
    fields = fields_of(forecast, truth, weights, **settings)
    fields.threads = more.get("threads", 1)
    return Event(fields, limit_of(1.0))


def sums_of(event: Event) -> Arrays:
    assert NEP.event
    assert NMEP.event
    return NEP.event(event) | NMEP.event(event)


@pytest.fixture
def members(random: np.random.Generator) -> np.ndarray:
    return random.normal(size=(7, *SHAPE)).astype(np.float32)


@pytest.fixture
def truth(random: np.random.Generator) -> np.ndarray:
    return random.normal(size=SHAPE).astype(np.float32)


@pytest.fixture
def weights(random: np.random.Generator) -> np.ndarray:
    """Of two regions, (region, y, x); a fifth of the points does not count."""
    weights = random.uniform(0.5, 1.5, (2, *SHAPE))
    weights[1, :, :5] = 0.0
    return np.where(random.uniform(size=SHAPE) < 0.8, weights, 0.0)


def loop(
    members: np.ndarray, truth: np.ndarray, weights: np.ndarray, width: int
) -> dict[str, np.ndarray]:
    """Point by point: each probability and what it is set against, (point,), and the weights."""
    valid, half = weights[0] > 0.0, width // 2
    found: dict[str, list] = {name: [] for name in ("nep", "point", "nmep", "near", "weight")}
    for y, x in zip(*np.nonzero(valid), strict=True):
        box = (slice(max(y - half, 0), y + half + 1), slice(max(x - half, 0), x + half + 1))
        inside = valid[box]
        reached = [member[box][inside] >= 1.0 for member in members]
        found["nep"].append(np.mean([hits.mean() for hits in reached]))
        found["nmep"].append(np.mean([hits.any() for hits in reached]))
        found["point"].append(truth[y, x] >= 1.0)
        found["near"].append((truth[box][inside] >= 1.0).any())
        found["weight"].append(weights[:, y, x])
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.parametrize("threads", [1, 3])
def test_brier_scores_equal_a_loop_over_points(
    members: np.ndarray, truth: np.ndarray, weights: np.ndarray, threads: int
) -> None:
    found = sums_of(event_of(Forecast("REFC", members), truth, weights, threads=threads))
    for place, width in enumerate(WIDTHS):
        points = loop(members, truth, weights, width)
        for name, event in (("nep", "point"), ("nmep", "near")):
            expected = points["weight"].T @ (points[name] - points[event]) ** 2
            np.testing.assert_allclose(found[f"{name}_brier_sum"][:, place], expected, rtol=1e-9)
        fair = points["nmep"] * (1.0 - points["nmep"]) / (len(members) - 1)
        expected = points["weight"].T @ ((points["nmep"] - points["near"]) ** 2 - fair)
        np.testing.assert_allclose(found["nmep_brier_fair_sum"][:, place], expected, rtol=1e-9)


def test_tables_equal_a_histogram_of_the_points(
    members: np.ndarray, truth: np.ndarray, weights: np.ndarray
) -> None:
    found = sums_of(event_of(Forecast("REFC", members), truth, weights))
    for place, width in enumerate(WIDTHS):
        points = loop(members, truth, weights, width)
        for name, event in (("nep", "point"), ("nmep", "near")):
            values = {
                "weight": np.ones_like(points[name]),
                "event": points[event],
                "probability": points[name],
            }
            for kind, value in values.items():
                table = found[f"{name}_{kind}_sum"][:, place]
                for region, weight in enumerate(points["weight"].T):
                    # Seven members and boxes of up to 49 points meet no edge but 0 to rounding.
                    expected, _ = np.histogram(points[name], [*LOWEST, 1.1], weights=weight * value)
                    np.testing.assert_allclose(table[region], expected, rtol=1e-9, atol=1e-12)


def test_in_a_box_of_one_point_both_probabilities_are_the_share_of_members(
    members: np.ndarray, truth: np.ndarray, weights: np.ndarray
) -> None:
    event = event_of(Forecast("REFC", members), truth, weights)
    found = sums_of(event)
    expected = event.fields.sum((event.probability - event.observed) ** 2)
    np.testing.assert_allclose(found["nep_brier_sum"][:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(found["nmep_brier_sum"][:, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("count", [1, 63, 64, 65, 130])
def test_more_than_64_members_are_counted(count: int, random: np.random.Generator) -> None:
    members = random.normal(0.0, 0.5, (count, 11, 8)).astype(np.float32)
    valid = random.uniform(size=(11, 8)) < 0.8
    found = members_in_neighbourhoods(members, limit_of(1.0), valid, WIDTHS, 2)
    for of_width, width in zip(found, WIDTHS, strict=True):
        expected = [
            ndimage.maximum_filter((member >= 1.0) & valid, width, mode="constant", cval=False)
            for member in members
        ]
        np.testing.assert_array_equal(of_width, np.sum(expected, axis=0))


@pytest.mark.parametrize("widths", [[1], [5], [1, 3, 9, 21, 41], [7, 9, 15], [61]])
def test_neighbourhoods_equal_the_maximum_filter_of_scipy(
    widths: list[int], random: np.random.Generator
) -> None:
    event = random.uniform(size=(23, 31)) < 0.01
    for found, width in zip(in_neighbourhoods(event, widths), widths, strict=True):
        expected = ndimage.maximum_filter(event, width, mode="constant", cval=False)
        np.testing.assert_array_equal(found, expected)


def test_points_that_do_not_count_are_in_no_neighbourhood() -> None:
    members, truth = np.zeros((2, 5, 5), np.float32), np.zeros((5, 5), np.float32)
    members[:, 2, 2], truth[2, 2] = 9.0, 9.0
    weights = np.ones((1, 5, 5))
    weights[:, 2, 2] = 0.0
    found = sums_of(event_of(Forecast("REFC", members), truth, weights))
    for name in ("nep", "nmep"):
        assert not found[f"{name}_event_sum"].any()
        np.testing.assert_array_equal(found[f"{name}_weight_sum"][0, :, 0], [24.0] * len(WIDTHS))


def test_a_storm_one_point_off_by_hand() -> None:
    """Two members of a row of five points: one has the storm beside the true one, one has none."""
    members, truth = np.zeros((2, 1, 5), np.float32), np.zeros((1, 5), np.float32)
    members[0, 0, 1], truth[0, 2] = 9.0, 9.0
    found = sums_of(event_of(Forecast("REFC", members), truth, np.ones((1, 1, 5))))
    # Boxes of three points: fractions 1/2 (of two), 1/3, 1/3, 0, 0 of one of two members.
    nep = 1 / 4**2 + 1 / 6**2 + (1 / 6 - 1) ** 2
    # The storm is near points 0 to 2 in one of two members, near points 1 to 3 in truth.
    nmep = 1 / 4 + 1 / 4 + 1 / 4 + 1.0
    # p (1 - p) / (M - 1) is a quarter at three points.
    assert found["nep_brier_sum"][0, 1] == pytest.approx(nep)
    assert found["nmep_brier_sum"][0, 1] == pytest.approx(nmep)
    assert found["nmep_brier_fair_sum"][0, 1] == pytest.approx(nmep - 3 / 4)
    np.testing.assert_allclose(found["nmep_event_sum"][0, 1].sum(), 3.0)


def test_a_gaussian_has_fractions_but_no_members_to_have_maxima(
    random: np.random.Generator, truth: np.ndarray, weights: np.ndarray
) -> None:
    mean, spread = random.normal(size=SHAPE), random.uniform(0.5, 2.0, SHAPE)
    found = sums_of(event_of(Forecast("REFC", None, mean, spread), truth, weights))
    valid, expected = weights[0] > 0.0, 0.0
    exact = stats.norm.sf(1.0, mean, spread)
    for y, x in zip(*np.nonzero(valid), strict=True):
        box = (slice(max(y - 1, 0), y + 2), slice(max(x - 1, 0), x + 2))
        error = exact[box][valid[box]].mean() - (truth[y, x] >= 1.0)
        expected += weights[0, y, x] * error**2
    assert found["nep_brier_sum"][0, 1] == pytest.approx(expected, rel=1e-9)
    assert not [name for name in found if name.startswith("nmep")]


def test_brier_score_and_roc_area_equal_those_of_the_scores_library(
    random: np.random.Generator,
) -> None:
    """Of ten members, whose shares the classes keep apart, at points that are neighbourhoods."""
    chance = random.beta(0.4, 1.0, 800)
    hits = random.uniform(size=(10, 800)) < chance
    occurred = random.uniform(size=800) < chance
    probability = hits.mean(axis=0)
    tables, squares = class_sums(probability[None], occurred[None], np.ones((1, 1, 800)))
    observed = xr.DataArray(occurred.astype(float), dims="point")
    for fair in (False, True):
        theirs = brier_score_for_ensemble(
            xr.DataArray(hits.astype(float), dims=("member", "point")),
            observed,
            "member",
            1.0,
            fair_correction=fair,
        )
        ours = squares[0, 0] - fair * squares[1, 0] / 9
        assert ours / 800 == pytest.approx(theirs.item(), rel=1e-12)
    theirs = roc_auc(xr.DataArray(probability, dims="point"), observed)
    assert roc_area(tables[0, 0], tables[1, 0]) == pytest.approx(theirs.item(), rel=1e-9)


def cases_of(
    make_ensemble: Callable[..., xr.Dataset], random: np.random.Generator, counts: list[int]
) -> Cases:
    """REFC with one threshold beside CAPE with two; a case for each number of members."""
    statistics = []
    settings = Scores(
        thresholds={"REFC": [1.5], "CAPE": [0.0, 0.5]}, neighbourhoods=WIDTHS, maps=False
    )
    for day, count in enumerate(counts):
        fields = {name: random.normal(size=(count, 1, 5, 7)) for name in ("REFC", "CAPE")}
        ensemble = make_ensemble(datetime(2026, 6, 8 + day), [1], fields)
        truth = random.normal(size=(5, 7))
        weights = np.ones((5, 7))
        statistics.append(case_statistics(ensemble, lambda *_, t=truth: t, weights, 0, settings))
    wanted = [*NEP.sums, *NMEP.sums, "fss_difference_sum", "weight_sum", "points", "members"]
    both = xr.concat([own[[*wanted, "event"]] for own in statistics], "init")
    both = both.isel(region=0).sel(variable="REFC")
    return Cases(both, np.ones((1, len(counts))), parameters={"width": WIDTHS})


def metrics_of(cases: Cases) -> Arrays:
    assert NEP.cases
    assert NMEP.cases
    return NEP.cases(cases) | NMEP.cases(cases)


def test_each_metric_has_a_value_for_each_threshold_and_width(
    make_ensemble: Callable[..., xr.Dataset], random: np.random.Generator
) -> None:
    found = metrics_of(cases_of(make_ensemble, random, [4, 4]))
    assert set(found) == {*NEP.metrics, *NMEP.metrics}
    for values in found.values():
        assert values.shape == (1, 1, 1, len(WIDTHS))
        # In the widest boxes the truth has the event everywhere, and there is no ROC.
        assert np.isfinite(values[..., :2]).all()


def test_where_one_case_has_one_member_there_is_no_fair_score(
    make_ensemble: Callable[..., xr.Dataset], random: np.random.Generator
) -> None:
    found = metrics_of(cases_of(make_ensemble, random, [4, 1]))
    assert set(NMEP.metrics) - set(found) == {"nmep_brier_fair"}


def test_where_one_case_is_a_mean_and_spread_there_are_no_maxima(
    make_ensemble: Callable[..., xr.Dataset], random: np.random.Generator
) -> None:
    cases = cases_of(make_ensemble, random, [4, 4])
    cases.members[1] = 0
    assert set(metrics_of(cases)) == set(NEP.metrics)
    # Unless no point of it counts.
    cases.counted[1] = False
    assert set(metrics_of(cases)) == {*NEP.metrics, *NMEP.metrics}
