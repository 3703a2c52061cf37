"""Events of at least and at most, of values and of percentiles of climatology."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scored_fields import limit_of

from stormdraw.errors import StormdrawError
from stormdraw.fields.percentiles import Percentiles, label
from stormdraw.scores import registry
from stormdraw.scores.case_statistics import case_statistics
from stormdraw.scores.settings import Scores
from stormdraw.scores.sums import Cases, all_metrics
from stormdraw.scores.threshold import Limit, Threshold

INIT = datetime(2026, 6, 8, 6)
SHAPE = (5, 7)
HOW = {"neighbourhoods": [1, 3], "local_patch": 2, "variogram_lags": [1], "maps": False}
# What is made of events alone.
OF_EVENTS = [name for name, own in registry.sums().items() if "threshold" in own.dims]

Make = Callable[..., xr.Dataset]


@pytest.mark.parametrize(
    ("given", "text", "symbols", "words"),
    [
        (20, "20", "≥ 20 dBZ", "at least 20 dBZ"),
        (">= 20.5", "20.5", "≥ 20.5 dBZ", "at least 20.5 dBZ"),
        ("<= -50", "<=-50", "≤ \N{MINUS SIGN}50 dBZ", "at most -50 dBZ"),
        ("p95", "p95", "≥ p95", "at least the 95th percentile of climatology"),
        ("<=p1", "<=p1", "≤ p1", "at most the 1st percentile of climatology"),
        (" >= p 99.9 ", "p99.9", "≥ p99.9", "at least the 99.9th percentile of climatology"),
        ("p12", "p12", "≥ p12", "at least the 12th percentile of climatology"),
    ],
)
def test_a_threshold_is_named_as_its_readers_need_it(
    given: Any, text: str, symbols: str, words: str
) -> None:
    threshold = Threshold.parse(given)
    assert (threshold.text, threshold.symbols("dBZ"), threshold.words("dBZ")) == (
        text,
        symbols,
        words,
    )
    assert Threshold.parse(threshold.text) == threshold
    assert Threshold.parse(threshold.given) == threshold


@pytest.mark.parametrize("given", [True, None, "warm", "< 3", "p", "p0", "p100", "1e999", "nan"])
def test_what_is_no_threshold_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match=r"is no threshold|a percentile is"):
        Threshold.parse(given)


def test_numbers_that_tables_write_alike_are_one() -> None:
    given = [20, 20.0000000001, "20", -0.0, 0.0, 1 / 3]
    thresholds = Scores(thresholds={"REFC": given}).thresholds["REFC"]
    assert [own.text for own in thresholds] == ["0", "0.333333333", "20"]
    assert [own.number for own in thresholds] == [0.0, 0.333333333, 20.0]
    assert Scores(probabilities=[1 / 3, 0.3333333333]).probabilities == [0.333333333]


def test_thresholds_are_sorted_with_the_rarest_of_each_kind_last() -> None:
    given = ["<=p5", 40, "<= 5", "p95", 20, "<=10", "p9", ">=40"]
    scores = Scores.model_validate({"thresholds": {"REFC": given}})
    texts = [own.text for own in scores.thresholds["REFC"]]
    assert texts == ["20", "40", "p9", "p95", "<=10", "<=5", "<=p5"]
    assert scores.percentiles == {"REFC": [5.0, 9.0, 95.0]}
    assert [own.text for own in scores.fixed_thresholds("REFC")] == ["20", "40", "<=10", "<=5"]
    # A configuration of numbers stays one, so that nothing is scored anew.
    written = scores.model_dump(mode="json")["thresholds"]
    assert written == {"REFC": [20.0, 40.0, "p9", "p95", "<=10", "<=5", "<=p5"]}
    assert Scores.model_validate({"thresholds": written}) == scores


def test_a_value_of_the_threshold_has_the_event_either_way() -> None:
    values = np.array([np.nan, 272.0, 273.15, 274.0], np.float32)
    assert limit_of(273.15).reached(values).tolist() == [False, False, True, True]
    assert limit_of("<=273.15").reached(values).tolist() == [False, True, True, False]
    field = Limit(Threshold(5.0, percentile=True), np.array([272.0, np.nan, 300.0, 1.0]))
    assert field.reached(values).tolist() == [False, False, False, True]


def scored(
    make_ensemble: Make,
    name: str,
    forecast: dict[str, np.ndarray],
    truth: np.ndarray,
    thresholds: list,
    percentiles: Percentiles | None = None,
) -> xr.Dataset:
    """The statistics of members (member, y, x), or of a mean and a spread (y, x), at one lead."""
    at_lead = {key: np.expand_dims(value, value.ndim - 2) for key, value in forecast.items()}
    ensemble = make_ensemble(INIT, [1], at_lead)
    scores = Scores.model_validate({"thresholds": {name: thresholds}, **HOW})
    how = (np.ones(SHAPE), 0, scores)
    return case_statistics(ensemble, lambda *_: truth, *how, percentiles=percentiles)


def in_eighths(random: np.random.Generator, *shape: int) -> np.ndarray:
    """Sums and differences of them are exact in single precision; about half are below 0."""
    return (np.rint(random.normal(0.0, 8.0, shape) * 8.0) / 8.0).astype(np.float32)


@pytest.mark.parametrize("known", ["members", "mean and spread"])
def test_at_most_is_at_least_of_what_is_mirrored(
    known: str, make_ensemble: Make, random: np.random.Generator
) -> None:
    """Each sum of x <= t is that of -x >= -t, whatever the statistic; U10 has both signs."""
    members, truth = in_eighths(random, 6, *SHAPE), in_eighths(random, *SHAPE)
    truth[1, 2] = np.nan
    truth[0, 0] = members[0, 0, 0] = -4.0
    thresholds, mirrored = ["<= -4", "<= 2.5"], [-2.5, 4.0]

    def forecast(sign: float) -> dict[str, np.ndarray]:
        if known == "members":
            return {"U10": sign * members}
        return {"U10_mean": sign * members[0], "U10_spread": np.abs(members[1])}

    ours = scored(make_ensemble, "U10", forecast(1.0), truth, thresholds)
    theirs = scored(make_ensemble, "U10", forecast(-1.0), -truth, mirrored)
    assert ours["event"].values[0, 0].tolist() == ["<=2.5", "<=-4"]
    assert theirs["event"].values[0, 0].tolist() == ["-2.5", "4"]
    there = [name for name in OF_EVENTS if name in ours and name != "event"]
    # Values are matched by rank from below, and the middle one of an even number is not symmetric.
    compared = [name for name in there if not name.startswith(("pmm", "lpmm"))]
    assert len(compared) >= (14 if known == "members" else 7)
    for name in compared:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-9, err_msg=name)


def test_counts_of_at_most_equal_a_loop(make_ensemble: Make, random: np.random.Generator) -> None:
    members, truth = in_eighths(random, 6, *SHAPE), in_eighths(random, *SHAPE)
    found = scored(make_ensemble, "U10", {"U10": members}, truth, ["<= -2"])
    everywhere, with_event = np.zeros(7), np.zeros(7)
    hits = warned = 0
    for point in np.ndindex(*SHAPE):
        count = sum(members[(k, *point)] <= -2.0 for k in range(6))
        everywhere[count] += 1
        with_event[count] += truth[point] <= -2.0
        hits += count >= 3 and truth[point] <= -2.0
        warned += count >= 3
    assert 0 < hits < with_event.sum()
    np.testing.assert_array_equal(found["probability_weight_sum"].values.ravel(), everywhere)
    np.testing.assert_array_equal(found["probability_event_sum"].values.ravel(), with_event)
    cases = Cases(
        found.isel(variable=0, region=0).expand_dims("init"),
        np.ones((1, 1)),
        parameters={"width": [1, 3], "probability": [0.5]},
    )
    csi = all_metrics(cases)["csi"].ravel()
    assert csi == pytest.approx(hits / (warned + with_event.sum() - hits))


@pytest.mark.parametrize("known", ["members", "mean and spread"])
@pytest.mark.parametrize("at_most", [False, True])
def test_an_event_of_a_percentile_is_one_of_the_distance_to_it(
    at_most: bool, known: str, make_ensemble: Make, tmp_path: Path, random: np.random.Generator
) -> None:
    """x against p(y, x) is x - p(y, x) against 0, which is exact for eighths."""
    members, truth = in_eighths(random, 6, *SHAPE), in_eighths(random, *SHAPE)
    field = in_eighths(random, *SHAPE)
    path = tmp_path / "percentiles.nc"
    xr.Dataset({label("U10", 95.0): (("y", "x"), field)}).to_netcdf(path)
    sign = "<=" if at_most else ""

    def forecast(shift: np.ndarray) -> dict[str, np.ndarray]:
        if known == "members":
            return {"U10": members - shift}
        return {"U10_mean": members[0] - shift, "U10_spread": np.abs(members[1])}

    how = ("U10", forecast(0.0 * field), truth, [f"{sign}p95"], Percentiles(path))
    ours = scored(make_ensemble, *how)
    theirs = scored(make_ensemble, "U10", forecast(field), truth - field, [f"{sign}0"])
    assert ours["event"].values.ravel().tolist() == [f"{sign}p95"]
    there = [name for name in OF_EVENTS if name in ours and name != "event"]
    # The matched mean of distances is another field.
    compared = [name for name in there if not name.startswith(("pmm", "lpmm"))]
    assert len(compared) >= (14 if known == "members" else 7)
    for name in compared:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6, atol=1e-6, err_msg=name)


def test_without_a_climatology_at_a_point_there_is_no_event(
    make_ensemble: Make, tmp_path: Path, random: np.random.Generator
) -> None:
    members, truth = in_eighths(random, 6, *SHAPE), in_eighths(random, *SHAPE)
    path = tmp_path / "percentiles.nc"
    xr.Dataset({"U10_p5": (("y", "x"), np.full(SHAPE, np.nan, np.float32))}).to_netcdf(path)
    found = scored(make_ensemble, "U10", {"U10": members}, truth, ["<=p5"], Percentiles(path))
    assert found["probability_weight_sum"].values.ravel().tolist() == [35.0, *[0.0] * 6]
    assert found["probability_event_sum"].values.sum() == 0.0
    assert found["threshold_weighted_fair_sum"].values.ravel().tolist() == [0.0]


def test_a_percentile_without_a_climatology_is_refused(
    make_ensemble: Make, tmp_path: Path, random: np.random.Generator
) -> None:
    forecast = {"U10": in_eighths(random, 6, *SHAPE)}
    with pytest.raises(StormdrawError, match="U10 has the percentile 95, but there are none of"):
        scored(make_ensemble, "U10", forecast, forecast["U10"][0], ["p95"])
    path = tmp_path / "percentiles.nc"
    xr.Dataset({"U10_p90": (("y", "x"), np.zeros(SHAPE))}).to_netcdf(path)
    with pytest.raises(StormdrawError, match="has no U10_p95; delete it"):
        scored(make_ensemble, "U10", forecast, forecast["U10"][0], ["p95"], Percentiles(path))
