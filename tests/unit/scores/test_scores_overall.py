from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from stormdraw.scores.overall import ALL, COLUMNS, overall, overall_text, read_overall
from stormdraw.scores.settings import Scores
from stormdraw.scores.summary import write_summary
from stormdraw.scores.verdicts import TOO_FEW_DIFFER

DAYS = [f"202606{day:02d}06" for day in range(1, 21)]
Systems = dict[str, xr.Dataset]


@pytest.fixture
def systems(make_system: Callable[..., xr.Dataset], random: np.random.Generator) -> Systems:
    """`trial` has 0.8 of href's CRPS in T2M and 0.9 in REFC, give or take 1 % a day.

    `spread` has as much as href, give or take 0.1 %.
    """
    weather = random.uniform(5.0, 15.0, (len(DAYS), 2, 2))
    noise = 1.0 + 0.01 * random.normal(size=weather.shape)
    crps = {
        "href": weather,
        "trial": weather * noise * [[0.8], [0.9]],
        "spread": weather * (0.9 + 0.1 * noise),
    }
    return {
        name: make_system(
            *(DAYS, ["T2M", "REFC"], [1, 2]),
            crps_fair_sum=own,
            crps_gaussian_sum=2.0 * own,
            members=0 if name == "spread" else 3,
        )
        for name, own in crps.items()
    }


@pytest.fixture
def pair(make_system: Callable[..., xr.Dataset]) -> Callable[..., Systems]:
    """`href` and `trial` with these sums of CRPS, (day, variable, lead)."""

    def pair(
        href: np.ndarray | float,
        trial: np.ndarray | float,
        variables: tuple[str, ...] = ("T2M",),
        leads: tuple[int, ...] = (1,),
        **given: np.ndarray,
    ) -> Systems:
        where = (DAYS, list(variables), list(leads))
        return {
            name: make_system(*where, crps_fair_sum=crps, **given)
            for name, crps in (("href", href), ("trial", trial))
        }

    return pair


def row(table: pd.DataFrame, system: str, reference: str, variable: str) -> dict:
    same = (table["system"] == system) & (table["reference"] == reference)
    (found,) = table[same & (table["variable"] == variable)].to_dict("records")
    return found


def test_one_number_for_two_systems(systems: Systems) -> None:
    table = overall(systems, Scores(), 0)
    t2m, refc = (row(table, "trial", "href", variable) for variable in ("T2M", "REFC"))
    assert t2m["value"] / t2m["reference_value"] == pytest.approx(1.0 - t2m["skill"])
    assert t2m["skill"] == pytest.approx(0.2, abs=0.01)
    together = row(table, "trial", "href", ALL)
    # The geometric mean of both ratios.
    expected = 1.0 - np.sqrt((1.0 - t2m["skill"]) * (1.0 - refc["skill"]))
    assert together["skill"] == pytest.approx(expected)
    assert 0.1 < together["ci_low"] < together["skill"] < together["ci_high"] < 0.2
    assert (together["verdict"], together["days"]) == ("better", 20)
    assert row(table, "href", "trial", ALL)["verdict"] == "worse"


def test_a_mean_over_leads_is_not_a_mean_of_ratios(pair: Callable[..., Systems]) -> None:
    systems = pair(np.array([10.0, 30.0]), np.array([20.0, 15.0]), leads=(1, 2))
    found = row(overall(systems, Scores(), 0), "trial", "href", "T2M")
    assert (found["value"], found["reference_value"]) == (1.75, 2.0)
    assert found["skill"] == pytest.approx(1 - 35 / 40)


def test_a_mean_and_spread_is_compared_as_a_gaussian(systems: Systems) -> None:
    table = overall(systems, Scores(), 0)
    assert row(table, "trial", "spread", ALL)["metric"] == "crps_gaussian"
    assert row(table, "trial", "href", ALL)["metric"] == "crps_fair"


def test_what_is_as_good_needs_proof(systems: Systems) -> None:
    same = {"href": systems["href"], "spread": systems["spread"]}
    assert row(overall(same, Scores(), 0), "spread", "href", ALL)["verdict"] == "no difference"
    few = {name: own.isel(init=slice(4)) for name, own in systems.items()}
    told = row(overall(few, Scores(), 0), "trial", "href", ALL)
    assert told["verdict"] == "undecided: fewer than 8 days"
    assert np.isnan(told["ci_low"])


def test_as_good_is_what_lies_within_the_margin_on_both_sides(
    pair: Callable[..., Systems], random: np.random.Generator
) -> None:
    """An interval of the skill from below 0 to above it, whose ends are not as far from 0."""
    systems = pair(1.0, 1.005 + 0.02 * random.normal(size=(len(DAYS), 1, 1)))
    found = row(overall(systems, Scores(), 0), "trial", "href", "T2M")
    near, far = sorted(np.abs([found["ci_low"], found["ci_high"]]))
    assert found["ci_low"] < 0.0 < found["ci_high"]
    assert far > 1.1 * near
    for margin, verdict in ((0.5 * (near + far), "undecided"), (1.1 * far, "no difference")):
        table = overall(systems, Scores(equivalence=margin), 0)
        # One way round the lower end is the one that is too far, the other way the higher.
        assert set(table["verdict"]) == {verdict}


def test_where_no_day_differs_nothing_is_proved(systems: Systems) -> None:
    same = {"href": systems["href"], "again": systems["href"]}
    found = row(overall(same, Scores(), 0), "again", "href", ALL)
    assert (found["skill"], found["verdict"]) == (0.0, TOO_FEW_DIFFER)


def test_what_one_day_alone_tells_is_undecided(pair: Callable[..., Systems]) -> None:
    """CRPS of the reference is 0 on all days but one, without which there is no skill."""
    one = (np.arange(len(DAYS)) == 3)[:, None, None]
    found = row(overall(pair(10.0 * one, 5.0 * one), Scores(), 0), "trial", "href", "T2M")
    assert (found["skill"], found["verdict"]) == (0.5, TOO_FEW_DIFFER)
    assert np.isnan(found["ci_low"])


@pytest.mark.parametrize("reference", [0.0, -1.0])
def test_there_is_no_skill_against_a_crps_that_is_not_above_zero(
    pair: Callable[..., Systems], reference: float
) -> None:
    """REFC has none, and so the mean over all variables is that of T2M. A fair CRPS may be < 0."""
    systems = pair(
        np.array([[10.0], [reference]]), np.array([[5.0], [1.0]]), variables=("T2M", "REFC")
    )
    table = overall(systems, Scores(), 0)
    assert np.isnan(row(table, "trial", "href", "REFC")["skill"])
    assert row(table, "trial", "href", ALL)["skill"] == pytest.approx(0.5)


def test_a_lead_without_any_day_is_in_no_mean(pair: Callable[..., Systems]) -> None:
    points = np.array([10, 0])
    given = {"points": points, "weight_sum": points.astype(float), "leads": (1, 2)}
    systems = pair(10.0 * (points > 0), 5.0 * (points > 0), **given)
    found = row(overall(systems, Scores(), 0), "trial", "href", "T2M")
    assert (found["leads"], found["value"], found["skill"]) == (1, 0.5, 0.5)


def test_a_lead_that_only_one_of_several_days_has_is_in_no_mean(
    pair: Callable[..., Systems],
) -> None:
    points = np.full((len(DAYS), 1, 2), 10)
    points[1:, :, 1] = 0
    uneven = 1.0 + 0.01 * (np.arange(len(DAYS)) % 3)[:, None, None]
    given = {"points": points, "weight_sum": points.astype(float), "leads": (1, 2)}
    systems = pair(10.0 * (points > 0), 5.0 * uneven * (points > 0), **given)
    found = row(overall(systems, Scores(), 0), "trial", "href", "T2M")
    assert (found["leads"], found["days"], found["verdict"]) == (1, len(DAYS), "better")
    first = {name: system.isel(init=[0]) for name, system in systems.items()}
    assert row(overall(first, Scores(), 0), "trial", "href", "T2M")["leads"] == 2


@pytest.mark.parametrize("seed", range(5))
def test_one_system_is_better_where_the_other_is_worse(
    pair: Callable[..., Systems], seed: int
) -> None:
    """Few days, and ratios from a third to three times: 1 - CRPS ratio has ends of 1 at most."""
    random = np.random.default_rng(seed)
    shape = (len(DAYS), 1, 1)
    systems = pair(random.lognormal(size=shape), 0.4 * random.lognormal(size=shape))
    systems = {name: system.isel(init=slice(8)) for name, system in systems.items()}
    table = overall(systems, Scores(confidence=0.9), 0)
    own, other = (row(table, *names, "T2M") for names in (("trial", "href"), ("href", "trial")))
    ends = np.array([own["ci_low"], own["ci_high"]])
    np.testing.assert_allclose(
        1.0 / (1.0 - ends), 1.0 - np.array([other["ci_high"], other["ci_low"]])
    )
    assert (ends < 1.0).all()
    opposite = {"better": "worse", "worse": "better", "undecided": "undecided"}
    assert other["verdict"] == opposite[own["verdict"]]


def test_a_variable_without_any_day_has_no_row(pair: Callable[..., Systems]) -> None:
    points = np.array([[10], [0]])
    given = {"points": points, "weight_sum": points.astype(float), "variables": ("T2M", "REFC")}
    table = overall(pair(10.0, 5.0, **given), Scores(), 0)
    assert list(table["variable"]) == 2 * ["T2M", ALL]


def test_systems_are_compared_in_the_variables_that_both_have(systems: Systems) -> None:
    systems["trial"] = systems["trial"].sel(variable=["T2M"])
    table = overall(systems, Scores(), 0)
    of_trial = table[(table["system"] == "trial") | (table["reference"] == "trial")]
    assert list(of_trial["variable"]) == 4 * ["T2M", ALL]
    of_others = table.drop(of_trial.index)
    assert list(of_others["variable"]) == 2 * ["T2M", "REFC", ALL]


def test_what_is_written_is_read_back(systems: Systems, tmp_path: Path) -> None:
    table = overall({"null": systems["href"], "trial": systems["trial"]}, Scores(), 0)
    write_summary(table, tmp_path / "overall.csv")
    read = read_overall(tmp_path / "overall.csv")
    assert list(read["system"]) == list(table["system"])
    np.testing.assert_allclose(read["skill"], table["skill"])
    assert np.isnan(read.loc[read["variable"] == ALL, "value"]).all()


def test_the_printed_skills_have_their_intervals() -> None:
    numbers = (np.nan, np.nan)
    rows = [
        ("trial", "href", ALL, "crps_fair", 2, 20, 15.0, *numbers, 0.1, 0.05, 0.152, "better"),
        ("lag", "href", ALL, "crps_gaussian", 2, 5, 5.0, *numbers, -0.2, *numbers, "undecided"),
        ("trial", "href", "T2M", "crps_fair", 2, 20, 15.0, *numbers, 0.3, 0.2, 0.4, "better"),
        ("trial", "other", ALL, "crps_fair", 2, 20, 15.0, *numbers, 0.9, 0.8, 0.95, "better"),
    ]
    assert overall_text(pd.DataFrame(rows, columns=list(COLUMNS)), "href", Scores()) == (
        "Skill against href over all variables and leads, 95 % interval\n"
        "trial +0.10 (+0.05 to +0.15) better\n"
        "lag   -0.20 g undecided\n"
    )
