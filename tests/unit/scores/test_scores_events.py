from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scoringrules
from scipy import integrate, stats
from scored_fields import fields_of, limit_of

from stormdraw.grids import Grid
from stormdraw.scores import registry
from stormdraw.scores.block import event_sums
from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.settings import Scores
from stormdraw.scores.statistics.fractions_skill import fss_sums
from stormdraw.scores.statistics.threshold_weighted_crps import gaussian_crps_above
from stormdraw.scores.summary import summarise
from stormdraw.scores.verification import gaussian_probability

SHAPE = (30, 40)


@pytest.fixture
def forecast(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return random.normal(1000.0, 400.0, SHAPE), random.uniform(50.0, 500.0, SHAPE)


@dataclass
class Against:
    """Truth (y, x), and the weights (1, y, x) of its points, 0 where one does not count."""

    truth: np.ndarray
    weights: np.ndarray

    @property
    def valid(self) -> np.ndarray:
        return self.weights[0] > 0.0

    def score(self, forecast: Forecast, thresholds: list[float]) -> dict[str, np.ndarray]:
        """The sums of all scores of events, (region, threshold, ...)."""
        settings = {"thresholds": {"CAPE": thresholds}, "neighbourhoods": [1, 5]}
        return event_sums(fields_of(forecast, self.truth, self.weights, **settings))


@pytest.fixture
def against(random: np.random.Generator, forecast: tuple[np.ndarray, np.ndarray]) -> Against:
    valid = random.uniform(size=SHAPE) < 0.9
    weights = np.where(valid, random.uniform(0.5, 1.5, (1, *SHAPE)), 0.0)
    return Against(random.normal(*forecast), weights)


@pytest.mark.parametrize(
    ("given", "probability", "certain"),
    [("1.5", stats.norm.sf, [0.0, 1.0, 1.0]), ("<=1.5", stats.norm.cdf, [1.0, 1.0, 0.0])],
)
def test_probabilities_equal_the_normal_distribution(
    given: str, probability: Callable[..., np.ndarray], certain: list[float]
) -> None:
    mean, spread, limit = np.array([1.0, -2.0, 5.0]), np.array([1.0, 3.0, 0.1]), limit_of(given)
    np.testing.assert_allclose(
        gaussian_probability(mean, spread, limit), probability(1.5, mean, spread)
    )
    found = gaussian_probability(np.array([1.0, 1.5, 3.0]), np.zeros(3), limit)
    np.testing.assert_array_equal(found, certain)


def test_gaussian_brier_score_equals_a_loop_and_scoringrules(
    forecast: tuple[np.ndarray, np.ndarray], against: Against
) -> None:
    found = against.score(Forecast("CAPE", None, *forecast), [1000.0])
    expected = 0.0
    for y, x in zip(*np.nonzero(against.valid), strict=True):
        p = stats.norm.sf(1000.0, forecast[0][y, x], forecast[1][y, x])
        event = float(against.truth[y, x] >= 1000.0)
        expected += against.weights[0, y, x] * float(scoringrules.brier_score(event, p))
    assert found["brier_sum"][0, 0] == pytest.approx(expected, rel=1e-9)


def test_gaussian_fractions_are_of_the_exact_probability(
    forecast: tuple[np.ndarray, np.ndarray], against: Against
) -> None:
    found = against.score(Forecast("CAPE", None, *forecast), [1000.0])
    difference, reference = fss_sums(
        stats.norm.sf(1000.0, *forecast),
        against.truth >= 1000.0,
        against.valid,
        against.weights,
        [1, 5],
    )
    np.testing.assert_allclose(found["fss_difference_sum"][0], difference, rtol=1e-9)
    np.testing.assert_allclose(found["fss_reference_sum"][0], reference, rtol=1e-9)


def test_many_members_of_a_gaussian_score_as_it_does(
    forecast: tuple[np.ndarray, np.ndarray], against: Against
) -> None:
    quantiles = stats.norm.ppf((np.arange(400) + 0.5) / 400)
    members = forecast[0] + quantiles[:, None, None] * forecast[1]
    exact, drawn = (
        against.score(Forecast("CAPE", None, *forecast), [800.0, 1200.0]),
        against.score(Forecast("CAPE", members), [800.0, 1200.0]),
    )
    np.testing.assert_allclose(exact["fss_difference_sum"], drawn["fss_difference_sum"], rtol=2e-3)
    p = np.arange(401) / 400
    squared = drawn["probability_weight_sum"] * p**2 + drawn["probability_event_sum"] * (
        1.0 - 2.0 * p
    )
    np.testing.assert_allclose(exact["brier_sum"], squared.sum(-1), rtol=2e-3)
    assert not [name for name in exact if name.startswith("pmm")]


@pytest.mark.parametrize("error", [-3.0, 0.0, 2.5])
@pytest.mark.parametrize("lower", [-50.0, -1.0, 0.0, 2.0, 60.0])
def test_gaussian_crps_above_equals_its_integral(error: float, lower: float) -> None:
    """The truth at 0: the integral of (F(x) - [x >= 0])**2 over x >= lower."""
    spread = 1.3
    start, end = max(lower, error - 15.0), max(lower, error, 0.0) + 15.0

    def squared(x: float) -> float:
        return float((stats.norm.cdf(x, error, spread) - (x >= 0.0)) ** 2)

    inner = sorted({x for x in (0.0, error) if start < x < end})
    expected, _ = integrate.quad(squared, start, end, points=inner, limit=200)
    found = gaussian_crps_above(np.array(error), np.array(spread), np.array(lower))
    assert float(found) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_gaussian_crps_above_equals_scoringrules(random: np.random.Generator) -> None:
    mean, truth = random.normal(0.0, 3.0, (2, 300))
    # The library divides by the probability above the threshold, which must not vanish.
    spread = random.uniform(1.5, 4.0, 300)
    # Above t, max(X, t) is what the library calls a censored normal.
    theirs = scoringrules.crps_cnormal(np.maximum(truth, 1.0), mean, spread, lower=1.0)
    ours = gaussian_crps_above(mean - truth, spread, 1.0 - truth)
    np.testing.assert_allclose(ours, theirs, atol=1e-7)


def test_gaussian_crps_above_without_spread_is_a_distance() -> None:
    error, lower = np.array([-2.0, 3.0, 3.0, -4.0]), np.array([-9.0, 1.0, 5.0, 2.0])
    np.testing.assert_allclose(
        gaussian_crps_above(error, np.array([0.0, 1e-300, 0.0, 1e-12]), lower),
        [2.0, 2.0, 0.0, 0.0],
        atol=1e-11,
    )


def test_a_system_of_mean_and_spread_has_all_event_scores(
    score_cases: Callable[..., list[Path]],
    grid: Grid,
    random: np.random.Generator,
) -> None:
    mean = random.normal(1000.0, 500.0, (1, *grid.shape)).astype(np.float32)
    spread = random.uniform(50.0, 500.0, (1, *grid.shape)).astype(np.float32)
    truth = random.normal(mean, spread)
    case = {"CAPE_mean": mean, "CAPE_spread": spread}, {"CAPE": truth}
    scores = Scores(thresholds={"CAPE": [900.0]}, neighbourhoods=[1, 3], area_weights=False)
    table = summarise(
        {"href": score_cases([case], scores)},
        Scores(reference="href", neighbourhoods=[1, 3]),
        0,
    )
    assert set(table["threshold"]) == {"", "900"}
    table = table[table["width"].isna() | (table["width"] == 3.0)]
    found = dict(zip(table["metric"], table["value"], strict=True))
    p = stats.norm.sf(900.0, mean.astype(float), spread.astype(float))
    event = truth.astype(np.float32) >= 900.0
    assert found["brier"] == pytest.approx(np.mean((p - event) ** 2), rel=1e-9)
    parts = [found[f"brier_{part}"] for part in ("reliability", "resolution", "uncertainty")]
    # A probability moves by half a hundredth at most when it is rounded.
    assert parts[0] - parts[1] + parts[2] == pytest.approx(found["brier"], abs=0.01)
    difference = np.rint(100 * p[event])[:, None] - np.rint(100 * p[~event])
    chance = np.mean((difference > 0) + 0.5 * (difference == 0))
    assert found["roc_area"] == pytest.approx(chance)
    expected = {"fss", "threshold_weighted_crps_gaussian", "pit_index", "crps_gaussian_skill"}
    assert expected <= set(found)
    ensembles_only = ("crps_fair", "crps_standard", "brier_fair", "pmm", "rank", "crps_potential")
    assert not [name for name in found if name.startswith(ensembles_only)]


@pytest.mark.parametrize("names", [["T2M"], ["T2M", "REFC"]])
def test_a_variable_without_thresholds_has_no_score_of_events(
    names: list[str],
    score_cases: Callable[..., list[Path]],
    grid: Grid,
    random: np.random.Generator,
) -> None:
    """Alone, and beside one that has some, whose tables are in the file for all variables."""
    members = {name: random.normal(280.0, 5.0, (4, 1, *grid.shape)) for name in names}
    truth = {name: values[0] for name, values in members.items()}
    scores = Scores(thresholds={"REFC": [60.0]}, neighbourhoods=[1, 3])
    table = summarise({"trial": score_cases([(members, truth)], scores)}, scores, 0)
    of_event = {name for name, score in registry.scores().items() if score.event}
    of_event = {metric for name in of_event for metric in registry.scores()[name].metrics}
    warmth = table[table["variable"] == "T2M"]
    assert {"crps_fair", "rmse"} <= set(warmth["metric"])
    assert not of_event & set(warmth["metric"])
    assert (warmth["threshold"] == "").all()
    assert warmth[["width", "probability"]].isna().all(axis=None)


def test_at_a_lead_without_a_point_scores_of_events_are_undefined(
    score_cases: Callable[..., list[Path]],
    grid: Grid,
    random: np.random.Generator,
) -> None:
    members = random.normal(20.0, 9.0, (4, 2, *grid.shape))
    truth = members[0].copy()
    truth[1] = np.nan
    scores = Scores(thresholds={"REFC": [20.0]}, neighbourhoods=[1])
    written = score_cases([({"REFC": members}, {"REFC": truth})], scores)
    table = summarise({"trial": written}, scores, 0)
    for metric in ("brier", "ets", "pmm_csi", "fss", "nmep_brier"):
        values = table[table["metric"] == metric].groupby("lead_hours")["value"]
        assert values.count().to_dict() == {1: 3 if metric == "ets" else 1, 2: 0}
