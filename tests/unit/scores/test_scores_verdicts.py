from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from stormdraw.errors import StormdrawError
from stormdraw.scores.settings import Scores
from stormdraw.scores.verdicts import (
    TOO_FEW_DAYS,
    TOO_FEW_DIFFER,
    caveats,
    decided,
    diebold_mariano_p_value,
    verdict,
    verdicts,
)

DAYS = [f"202606{day:02d}06" for day in range(1, 21)]
# Eight days whose differences from the mean are neither alike nor correlated.
UNEVEN = np.array([1.01, 0.98, 1.03, 0.97, 1.02, 0.99, 1.04, 0.96])


@pytest.fixture
def make(make_system: Callable[..., xr.Dataset], random: np.random.Generator) -> Callable:
    """Systems whose fair CRPS is that of the day times their scale, give or take 1 %."""

    def make(
        scales: dict[str, float], inits: list[str], noise: float = 0.01, **given: int
    ) -> dict[str, xr.Dataset]:
        weather = random.uniform(1.0, 10.0, (len(inits), 1, 1))
        return {
            name: make_system(
                *(inits, ["T2M"], [1]),
                crps_fair_sum=weather * scale * (1 + noise * random.normal(size=weather.shape)),
                crps_gaussian_sum=2 * weather * scale,
                **(given if name == "href" else {}),
            )
            for name, scale in scales.items()
        }

    return make


def judged(systems: dict[str, xr.Dataset], **scores: float) -> pd.DataFrame:
    given = Scores(reference="href", bootstrap_samples=500, **scores)
    return verdicts(systems, given, 0).set_index("system")


def test_better_worse_as_good_and_undecided(make: Callable) -> None:
    scales = {"href": 1.0, "good": 0.9, "bad": 1.1, "alike": 1.0}
    systems = make(scales, DAYS, noise=0.02)
    table = judged(systems, equivalence=0.05)
    assert table["verdict"].to_dict() == {
        "good": "better",
        "bad": "worse",
        "alike": "no difference",
    }
    assert (table["days"] == 20).all()
    good = table.loc["good"]
    assert good["difference"] == pytest.approx(good["value"] - good["reference_value"])
    # Days differ ten times as much as systems: an unpaired interval would not tell them apart.
    assert good["ci_high"] - good["ci_low"] < 0.2 * good["reference_value"]
    # Without proof that they are within a thousandth of each other nothing is decided.
    assert judged(systems, equivalence=0.001).loc["alike", "verdict"] == "undecided"


def test_p_values_are_corrected_for_the_comparisons_of_two_systems() -> None:
    rows = [
        {"system": "a", "reference": "href", "p_value": 0.01, "difference": -1.0, "days": 20},
        {"system": "a", "reference": "href", "p_value": 0.04, "difference": 1.0, "days": 20},
        {"system": "a", "reference": "href", "p_value": np.nan, "difference": 1.0, "days": 3},
        {"system": "b", "reference": "href", "p_value": 0.04, "difference": 1.0, "days": 20},
    ]
    ends = {"ci_low": -1.0, "ci_high": 1.0, "reference_value": 1.0, "adjusted_p_value": np.nan}
    table = decided(pd.DataFrame([row | ends for row in rows]), Scores())
    # Benjamini and Yekutieli of two: times 1 + 1 / 2, and the smaller one times 2 / 1 besides.
    expected = [0.03, 0.06, np.nan, 0.04]
    np.testing.assert_allclose(table["adjusted_p_value"], expected)
    assert list(table["verdict"]) == ["better", "undecided", TOO_FEW_DAYS, "worse"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-0.01, 0.01, "no difference"), (-0.03, 0.01, "undecided"), (-0.01, 0.03, "undecided")],
)
def test_no_difference_needs_the_whole_interval_within_the_margin(
    low: float, high: float, expected: str
) -> None:
    row = SimpleNamespace(days=20, adjusted_p_value=0.5, ci_low=low, ci_high=high)
    # A fair CRPS near 0 may come out below it.
    for reference in (1.0, -1.0):
        row.reference_value = reference
        assert verdict(row, Scores(equivalence=0.02)) == expected


def test_diebold_and_mariano_are_a_second_opinion(random: np.random.Generator) -> None:
    # One step ahead and without correlation it is the t-test of a mean, whatever the units.
    days = random.normal(size=40) * np.where(np.arange(40) % 2, 1.0, -1.0) + 0.4
    own = diebold_mariano_p_value(days, 6)
    assert own == pytest.approx(stats.ttest_1samp(days, 0.0).pvalue, abs=0.1)
    assert diebold_mariano_p_value(np.append(days, np.nan), 6) == own
    assert diebold_mariano_p_value(days + 3.0, 6) < 1e-6
    assert np.isnan(diebold_mariano_p_value(days[:4], 6))
    assert np.isnan(diebold_mariano_p_value(np.full(10, 0.2), 6))


def test_intervals_are_withheld_with_few_days(make: Callable) -> None:
    table = judged(make({"href": 1.0, "good": 0.1}, DAYS[:4]))
    assert table.loc["good", "verdict"] == TOO_FEW_DAYS
    assert np.isnan(table.loc["good", "ci_low"])
    assert "4 initial days: an interval needs at least 8" in caveats(table.reset_index(), 0.95)[0]


def test_a_gaussian_reference_is_met_as_a_gaussian(make: Callable) -> None:
    table = judged(make({"href": 1.0, "trial": 0.9}, DAYS, members=0))
    trial = table.loc["trial"]
    assert trial["metric"] == "crps_gaussian"
    assert trial["value"] / trial["reference_value"] == pytest.approx(0.9)
    # The full score stands beside it, and is not what was compared.
    assert trial["own_crps_fair"] == pytest.approx(trial["value"] / 2, rel=0.02)
    notes = caveats(table.reset_index(), 0.95)
    assert any("scored as Gaussians" in note for note in notes)
    assert any("members (0: known by mean and spread)" in note for note in notes)
    assert any("differences of 20 initial days" in note for note in notes)
    assert "single member" not in " ".join(notes)
    assert "so few days differ" not in notes[0]
    assert any("crps_gaussian does not take it out" in note for note in notes)


def test_a_mean_and_spread_of_known_size_are_met_without_it(
    make_system: Callable[..., xr.Dataset],
) -> None:
    systems = {
        name: make_system(
            *(DAYS[:8], ["T2M"], [1]),
            crps_gaussian_sum=2.0,
            crps_gaussian_fair_sum=scale * UNEVEN[:, None, None],
            members=members,
        )
        for name, scale, members in (("href", 1.0, 0), ("trial", 0.9, 4))
    }
    table = judged(systems)
    assert table.loc["trial", "metric"] == "crps_gaussian_fair"
    assert table.loc["trial", "value"] / table.loc["trial", "reference_value"] == pytest.approx(0.9)
    notes = " ".join(caveats(table.reset_index(), 0.95))
    assert "crps_gaussian_fair takes out how few members" in notes
    assert "crps_gaussian does not" not in notes


def test_a_single_member_is_said_to_have_no_spread(make: Callable) -> None:
    table = judged(make({"href": 1.0, "trial": 0.9}, DAYS, members=1))
    notes = " ".join(caveats(table.reset_index(), 0.95))
    assert "Ensembles of 1, 3 members" in notes
    assert "The CRPS of a single member is its absolute error" in notes


def test_systems_are_compared_in_the_variables_that_both_have(
    make_system: Callable[..., xr.Dataset],
) -> None:
    """Two systems have REFC, which the reference lacks, and only one has CAPE."""
    variables = {"href": ["T2M"], "more": ["REFC", "T2M", "CAPE"], "trial": ["T2M", "REFC"]}
    systems = {
        name: make_system(DAYS[:8], own, [1], crps_fair_sum=UNEVEN[:, None, None])
        for name, own in variables.items()
    }
    table = verdicts(systems, Scores(reference="href"), 0, ["trial"])
    compared = set(zip(table["system"], table["reference"], table["variable"], strict=True))
    assert len(table) == len(compared)
    assert compared == {
        ("more", "href", "T2M"),
        ("trial", "href", "T2M"),
        ("href", "trial", "T2M"),
        ("more", "trial", "T2M"),
        ("more", "trial", "REFC"),
    }


def test_no_reference_no_verdicts(make: Callable) -> None:
    systems = make({"href": 1.0, "trial": 0.9}, DAYS)
    nothing = verdicts(systems, Scores(), 0)
    assert nothing.empty
    assert caveats(nothing, 0.95) == []
    with pytest.raises(StormdrawError, match="reference is 'refs'"):
        verdicts(systems, Scores(reference="refs"), 0)


def test_baselines_are_stood_against_as_well(make: Callable) -> None:
    systems = make({"href": 1.0, "hrrr": 1.2, "trial": 0.9}, DAYS, noise=0.001)
    table = verdicts(systems, Scores(reference="href"), 0, ["hrrr"])
    told = {(row.system, row.reference): row.verdict for row in table.itertuples(index=False)}
    assert told == {
        ("hrrr", "href"): "worse",
        ("trial", "href"): "better",
        ("href", "hrrr"): "better",
        ("trial", "hrrr"): "better",
    }
    alone = verdicts(systems, Scores(), 0, ["hrrr"])
    assert set(alone["reference"]) == {"hrrr"}


def test_where_few_days_differ_there_is_no_verdict(
    make_system: Callable[..., xr.Dataset],
) -> None:
    """Rain on two of 20 days: all others are alike, and 12 % of resamples have no rain."""
    rain = (np.arange(len(DAYS)) < 2)[:, None, None]
    systems = {
        name: make_system(DAYS, ["REFC"], [1], crps_fair_sum=5.0 + scale * rain)
        for name, scale in (("href", 1.0), ("trial", 0.5))
    }
    table = judged(systems)
    assert table.loc["trial", "verdict"] == TOO_FEW_DIFFER
    assert np.isnan(table.loc["trial", "ci_low"])
    assert "so few days differ" in caveats(table.reset_index(), 0.95)[0]


def test_withheld_intervals_decide_nothing_whatever_the_p_value() -> None:
    row = SimpleNamespace(days=20, adjusted_p_value=0.04, ci_low=np.nan, ci_high=np.nan)
    row.reference_value, row.difference = 1.0, -1.0
    assert verdict(row, Scores()) == TOO_FEW_DIFFER


def test_a_lead_with_few_days_has_no_verdict(make_system: Callable[..., xr.Dataset]) -> None:
    """Eight days at 1 h, four of them at 2 h."""
    points = np.where(np.arange(8)[:, None, None] % 2, [10, 10], [10, 0])
    systems = {
        name: make_system(
            *(DAYS[:8], ["T2M"], [1, 2]),
            points=points,
            weight_sum=points.astype(float),
            crps_fair_sum=crps * (points > 0),
        )
        for name, crps in (("href", 10.0), ("trial", 5.0 * UNEVEN[:, None, None]))
    }
    table = judged(systems)
    assert list(table["verdict"]) == ["better", TOO_FEW_DAYS]
    assert list(table["days"]) == [8, 4]
    assert list(table["cases"]) == [8, 4]
    notes = caveats(table.reset_index(), 0.95)
    assert any("4 to 8 initial days" in note and "withheld" in note for note in notes)


def test_a_variable_without_any_case_is_not_said_to_be_known_by_mean_and_spread(
    make_system: Callable[..., xr.Dataset],
) -> None:
    points = np.array([[10], [0]])
    systems = {
        name: make_system(
            *(DAYS[:8], ["T2M", "REFC"], [1]),
            points=points,
            weight_sum=points.astype(float),
            crps_fair_sum=crps * (points > 0),
        )
        for name, crps in (("href", 10.0), ("trial", 5.0 * UNEVEN[:, None, None]))
    }
    table = judged(systems).reset_index()
    assert list(table["cases"]) == [0, 8]
    (note,) = caveats(table, 0.999)
    assert note.startswith("Intervals of 99.9% from the paired differences of 0 to 8 initial days")
