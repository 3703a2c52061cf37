"""Ensembles whose number of members changes from case to case."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scored_fields import storms_of_sizes

from stormdraw.grids import Grid
from stormdraw.scores.settings import Scores
from stormdraw.scores.statistics.event_probabilities import merged_probabilities
from stormdraw.scores.summary import summarise
from stormdraw.scores.sums import weighted_mean

SIZES = (3, 6, 4)
SCORES = Scores(thresholds={"REFC": [20.0]}, neighbourhoods=[1], area_weights=False)


@pytest.fixture
def cases(random: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    return storms_of_sizes(random, SIZES)


@pytest.fixture
def summary(
    score_storms: Callable[..., list[Path]], cases: list[tuple[np.ndarray, np.ndarray]]
) -> dict[str, float]:
    """Scores of one system over the three cases, by metric."""
    table = summarise({"href": score_storms(cases, SCORES)}, Scores(neighbourhoods=[1]), 0)
    assert set(table["members"]) == {3}
    return dict(zip(table["metric"], table["value"], strict=True))


def test_brier_scores_equal_a_loop_and_their_parts_add_up(
    summary: dict[str, float], cases: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    squared, fair, forecasts = [], [], []
    for members, truth in cases:
        for column, y in zip(members.reshape(len(members), -1).T, truth.ravel(), strict=True):
            p, event = np.mean(column >= 20.0), float(y >= 20.0)
            squared.append((p - event) ** 2)
            fair.append((p - event) ** 2 - p * (1 - p) / (len(members) - 1))
            forecasts.append((round(p, 9), event))
    assert summary["brier"] == pytest.approx(np.mean(squared), rel=1e-12)
    assert summary["brier_fair"] == pytest.approx(np.mean(fair), rel=1e-12)
    parts = [summary[f"brier_{part}"] for part in ("reliability", "resolution", "uncertainty")]
    assert parts[0] - parts[1] + parts[2] == pytest.approx(summary["brier"], rel=1e-12)
    # Each probability once, whichever ensemble told it: 1 / 3 and 2 / 6 are the same.
    base, reliability = np.mean([event for _, event in forecasts]), 0.0
    for p in {p for p, _ in forecasts}:
        events = [event for other, event in forecasts if other == p]
        reliability += len(events) * (p - np.mean(events)) ** 2
    assert parts[0] == pytest.approx(reliability / len(forecasts), rel=1e-6)
    assert parts[2] == pytest.approx(base * (1 - base))
    assert summary["base_rate"] == pytest.approx(base)


def test_the_roc_ranks_forecasts_of_all_sizes(
    summary: dict[str, float], cases: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    p = np.concatenate([(members >= 20.0).mean(axis=0).ravel() for members, _ in cases])
    event = np.concatenate([(truth >= 20.0).ravel() for _, truth in cases])
    difference = np.round(p[event][:, None] - p[~event], 9)
    chance = np.mean((difference > 0) + 0.5 * (difference == 0))
    assert summary["roc_area"] == pytest.approx(chance)


def test_the_parts_of_the_crps_add_up(summary: dict[str, float]) -> None:
    parts = summary["crps_reliability"] + summary["crps_potential"]
    assert parts == pytest.approx(summary["crps_standard"], rel=1e-6)
    assert 0.0 < summary["rank_index"] < 2.0


def test_equal_probabilities_of_different_ensemble_sizes_are_merged() -> None:
    one = {"probability_weight_sum": np.array([[[1.0, 2, 3]]])}
    other = {"probability_weight_sum": np.array([[[10.0, 20, 30, 40, 50]]])}
    for sums in (one, other):
        sums["probability_event_sum"] = sums["probability_weight_sum"] / 10
    probability, everywhere, with_event = merged_probabilities({2: one, 4: other}, 0)
    np.testing.assert_allclose(probability, [0.0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(everywhere, [[11, 20, 32, 40, 53]])
    np.testing.assert_allclose(with_event, everywhere / 10)


def test_an_ensemble_size_that_is_not_resampled_does_not_count() -> None:
    values = [np.array([1.0, np.nan]), np.array([4.0, 5.0])]
    weights = [np.array([1.0, 0.0]), np.array([2.0, 3.0])]
    np.testing.assert_allclose(weighted_mean(values, weights), [3.0, 5.0])
    assert np.isnan(weighted_mean(values, [np.zeros(2), np.zeros(2)])).all()


def test_a_case_without_a_lead_enters_no_score_of_that_lead(
    score_cases: Callable[..., list[Path]],
    grid: Grid,
    random: np.random.Generator,
) -> None:
    """Three members at both leads of one case, and at one lead of the other."""
    truth = random.normal(size=(2, 2, *grid.shape))
    members = random.normal(size=(2, 3, 2, *grid.shape)).astype(np.float32)
    members[1, :, 1] = np.nan
    cases = [({"T2M": one}, {"T2M": true}) for one, true in zip(members, truth, strict=True)]
    written = score_cases(cases, Scores())
    both = summarise({"trial": written}, Scores(reference="trial"), 0).set_index(
        ["lead_hours", "metric"]
    )
    alone = summarise({"trial": written[:1]}, Scores(reference="trial"), 0)
    alone = alone.set_index(["lead_hours", "metric"])
    assert list(both["cases"][[1, 2]].groupby("lead_hours").first()) == [2, 1]
    assert (both["members"] == 3).all()
    for metric in ("crps_fair", "spread_error_ratio", "crps_matched", "crps_potential"):
        assert both["value"][2, metric] == pytest.approx(alone["value"][2, metric]), metric
        assert np.isfinite(both["value"][1, metric]), metric
