from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stormdraw.scores.overall import ALL, overall, read_overall
from stormdraw.scores.settings import Scores
from stormdraw.scores.summary import write_summary
from stormdraw.scores.verdicts import TOO_FEW_DIFFER

DAYS = [f"202606{day:02d}06" for day in range(1, 21)]
Write = Callable[..., Path]


@pytest.fixture
def paths(write_statistics: Write, random: np.random.Generator) -> dict[str, list[Path]]:
    """`trial` has 0.8 of href's CRPS in T2M and 0.9 in REFC, give or take 1 % a day.

    `spread` has as much as href, give or take 0.1 %.
    """
    found: dict[str, list[Path]] = {"href": [], "trial": [], "spread": []}
    for day in DAYS:
        weather = random.uniform(5.0, 15.0, (2, 2))
        noise = 1.0 + 0.01 * random.normal(size=(2, 2))
        for name, scale in (
            ("href", 1.0),
            ("trial", noise * [[0.8], [0.9]]),
            ("spread", 0.9 + 0.1 * noise),
        ):
            values = {
                "crps_fair_sum": weather * scale,
                "crps_gaussian_sum": 2.0 * weather * scale,
            }
            members = {"members": 0} if name == "spread" else {}
            given = values | members
            found[name].append(write_statistics(name, day, ["T2M", "REFC"], [1, 2], **given))
    return found


def row(table, system: str, reference: str, variable: str):
    same = (table["system"] == system) & (table["reference"] == reference)
    (found,) = table[same & (table["variable"] == variable)].to_dict("records")
    return found


def test_one_number_for_two_systems(paths: dict[str, list[Path]]) -> None:
    table = overall(paths, Scores(), 0)
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


def test_a_mean_over_leads_is_not_a_mean_of_ratios(write_statistics: Write) -> None:
    paths = {
        name: [write_statistics(name, day, ["T2M"], [1, 2], crps_fair_sum=values) for day in DAYS]
        for name, values in (("href", [[10.0, 30.0]]), ("trial", [[20.0, 15.0]]))
    }
    found = row(overall(paths, Scores(), 0), "trial", "href", "T2M")
    assert (found["value"], found["reference_value"]) == (1.75, 2.0)
    assert found["skill"] == pytest.approx(1 - 35 / 40)


def test_a_mean_and_spread_is_compared_as_a_gaussian(paths: dict[str, list[Path]]) -> None:
    table = overall(paths, Scores(), 0)
    assert row(table, "trial", "spread", ALL)["metric"] == "crps_gaussian"
    assert row(table, "trial", "href", ALL)["metric"] == "crps_fair"


def test_what_is_as_good_needs_proof(paths: dict[str, list[Path]]) -> None:
    same = {"href": paths["href"], "spread": paths["spread"]}
    assert row(overall(same, Scores(), 0), "spread", "href", ALL)["verdict"] == "no difference"
    few = {name: own[:4] for name, own in paths.items()}
    told = row(overall(few, Scores(), 0), "trial", "href", ALL)
    assert told["verdict"] == "undecided: fewer than 8 days"
    assert np.isnan(told["ci_low"])


def test_as_good_is_what_lies_within_the_margin_on_both_sides(
    write_statistics: Write, random: np.random.Generator
) -> None:
    """An interval of the skill from below 0 to above it, whose ends are not as far from 0."""
    paths: dict[str, list[Path]] = {"href": [], "trial": []}
    for day in DAYS:
        crps = {"href": 1.0, "trial": 1.005 + 0.02 * random.normal()}
        for name, value in crps.items():
            paths[name].append(write_statistics(name, day, ["T2M"], [1], crps_fair_sum=value))
    found = row(overall(paths, Scores(), 0), "trial", "href", "T2M")
    near, far = sorted(np.abs([found["ci_low"], found["ci_high"]]))
    assert found["ci_low"] < 0.0 < found["ci_high"]
    assert far > 1.1 * near
    for margin, verdict in ((0.5 * (near + far), "undecided"), (1.1 * far, "no difference")):
        table = overall(paths, Scores(equivalence=margin), 0)
        # One way round the lower end is the one that is too far, the other way the higher.
        assert set(table["verdict"]) == {verdict}


def test_where_no_day_differs_nothing_is_proved(paths: dict[str, list[Path]]) -> None:
    same = {"href": paths["href"], "again": paths["href"]}
    found = row(overall(same, Scores(), 0), "again", "href", ALL)
    assert (found["skill"], found["verdict"]) == (0.0, TOO_FEW_DIFFER)


def test_what_one_day_alone_tells_is_undecided(write_statistics: Write) -> None:
    """CRPS of the reference is 0 on all days but one, without which there is no skill."""
    paths = {
        name: [
            write_statistics(name, day, ["T2M"], [1], crps_fair_sum=scale * (day == DAYS[3]))
            for day in DAYS
        ]
        for name, scale in (("href", 10.0), ("trial", 5.0))
    }
    found = row(overall(paths, Scores(), 0), "trial", "href", "T2M")
    assert (found["skill"], found["verdict"]) == (0.5, TOO_FEW_DIFFER)
    assert np.isnan(found["ci_low"])


def test_a_lead_without_any_day_is_in_no_mean(write_statistics: Write) -> None:
    points = np.array([[10, 0]])
    paths = {
        name: [
            write_statistics(
                *(name, day, ["T2M"], [1, 2]),
                points=points,
                weight_sum=points.astype(float),
                crps_fair_sum=scale * (points > 0),
            )
            for day in DAYS
        ]
        for name, scale in (("href", 10.0), ("trial", 5.0))
    }
    found = row(overall(paths, Scores(), 0), "trial", "href", "T2M")
    assert (found["leads"], found["value"], found["skill"]) == (1, 0.5, 0.5)


def test_what_is_written_is_read_back(paths: dict[str, list[Path]], tmp_path: Path) -> None:
    table = overall({"null": paths["href"], "trial": paths["trial"]}, Scores(), 0)
    write_summary(table, tmp_path / "overall.csv")
    read = read_overall(tmp_path / "overall.csv")
    assert list(read["system"]) == list(table["system"])
    np.testing.assert_allclose(read["skill"], table["skill"])
    assert np.isnan(read.loc[read["variable"] == ALL, "value"]).all()
