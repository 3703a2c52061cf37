from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stormdraw.errors import StormdrawError
from stormdraw.scores.comparison import load_systems
from stormdraw.scores.intervals import uncertainty
from stormdraw.scores.settings import Scores
from stormdraw.scores.summary import (
    COLUMNS,
    by_hour,
    read_summary,
    summarise,
    write_summary,
)

Write = Callable[..., Path]
TWO = ("2026060806", "2026060912")
EIGHT = tuple(f"202606{day:02d}06" for day in range(8, 16))


def table(
    paths: Mapping[str, Sequence[Path]], reference: str | None = None, run_seed: int = 0
) -> pd.DataFrame:
    scores = Scores(reference=reference, bootstrap_samples=400, confidence=0.9)
    return summarise(paths, scores, run_seed)


def value(summary: pd.DataFrame, system: str, metric: str, variable: str = "T2M") -> pd.Series:
    rows = summary[
        (summary["system"] == system)
        & (summary["metric"] == metric)
        & (summary["variable"] == variable)
    ]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.fixture
def two_cases(write_statistics: Write) -> dict[str, list[Path]]:
    """Two systems, two cases of weight 10 and 30."""
    paths: dict[str, list[Path]] = {}
    for system, scale in (("href", 2.0), ("trial", 1.0)):
        paths[system] = [
            write_statistics(
                system,
                init,
                ["T2M"],
                [1],
                weight_sum=weight,
                points=int(weight),
                crps_fair_sum=scale * fair,
                crps_standard_sum=scale * 2 * fair,
                crps_gaussian_sum=scale * fair,
                error_sum=-weight,
                squared_error_sum=9 * weight,
                variance_sum=3 * weight,
            )
            for init, weight, fair in ((TWO[0], 10.0, 5.0), (TWO[1], 30.0, 3.0))
        ]
    return paths


def test_two_cases_by_hand(two_cases: dict[str, list[Path]]) -> None:
    summary = table(two_cases, reference="href")
    assert tuple(summary.columns) == COLUMNS
    expected = {
        "bias": -1.0,
        "crps_fair": 0.2,  # (5 + 3) / (10 + 30), not the mean of 0.5 and 0.1
        "crps_gaussian": 0.2,
        "crps_matched": 0.4,  # as many members as the reference: the standard CRPS
        "crps_skill": 0.5,
        "crps_standard": 0.4,
        "points": 40.0,
        "rank_index": np.nan,  # the files have no ranks
        "rmse": 3.0,
        "rmse_matched": 3.0,
        "spread": np.sqrt(3.0),
        "spread_error_ratio": 2 / 3,  # sqrt(4/3 * 3 / 9)
    }
    trial = summary[summary["system"] == "trial"]
    assert list(trial["metric"]) == list(expected)
    np.testing.assert_allclose(trial["value"], list(expected.values()))
    assert (summary["members"] == 3).all()
    assert (summary["cases"] == 2).all()
    assert (summary["lead_hours"] == 1).all()
    # Two days say nothing about how sure this is.
    assert summary[["ci_low", "ci_high"]].isna().all(axis=None)
    assert value(summary, "href", "crps_skill")["value"] == 0.0


@pytest.fixture
def eight_days(write_statistics: Write, random: np.random.Generator) -> dict[str, list[Path]]:
    """The trial is better than href by a tenth each day, while days differ much more."""
    paths: dict[str, list[Path]] = {"href": [], "trial": []}
    for init in EIGHT:
        day = random.uniform(1.0, 10.0)
        for system, scale in (("href", 1.0), ("trial", 0.9 + random.uniform(-0.02, 0.02))):
            given = dict.fromkeys(("crps_fair_sum", "crps_gaussian_sum"), scale * day)
            paths[system].append(
                write_statistics(
                    system, init, ["T2M"], [1], squared_error_sum=day, variance_sum=day, **given
                )
            )
    return paths


def test_intervals_of_differences_are_paired(eight_days: dict[str, list[Path]]) -> None:
    summary = table(eight_days, reference="href")
    skill = value(summary, "trial", "crps_skill")
    assert skill["ci_low"] < skill["value"] < skill["ci_high"]
    fair = value(summary, "trial", "crps_fair")
    assert fair["ci_low"] < fair["value"] < fair["ci_high"]
    # Days differ by a half of their mean, the differences of the two systems by a fiftieth.
    width = (fair["ci_high"] - fair["ci_low"]) / fair["value"]
    assert skill["ci_high"] - skill["ci_low"] < width / 5
    itself = value(summary, "href", "crps_skill")
    # No day differs.
    assert itself["value"] == 0.0
    assert np.isnan(itself["ci_low"])
    assert np.isnan(value(summary, "href", "points")["ci_low"])


def test_intervals_equal_a_loop_over_days(eight_days: dict[str, list[Path]]) -> None:
    systems = load_systems(eight_days)
    sums = {name: system["crps_fair_sum"].values[:, 0, 0] for name, system in systems.items()}

    def skill_of(chosen: list[int]) -> float:
        own, other = (sum(sums[name][day] for day in chosen) for name in ("trial", "href"))
        return 1 - own / other

    days = list(range(8))
    chosen = [days, *([one for one in days if one != day] for day in days), *([d] for d in days)]
    skills = np.array([skill_of(own) for own in chosen])[:, None]
    expected = uncertainty(skills, np.ones((8, 1), bool), 400, 0).interval(0.9)
    skill = value(table(eight_days, reference="href"), "trial", "crps_skill")
    np.testing.assert_allclose([skill["ci_low"], skill["ci_high"]], np.ravel(expected), rtol=1e-9)


def test_a_gaussian_reference_is_compared_with_gaussian_scores(
    write_statistics: Write,
) -> None:
    nan = np.nan
    paths = {
        "href": [
            write_statistics(
                "href",
                TWO[0],
                ["T2M"],
                [1],
                members=0,
                crps_gaussian_sum=4.0,
                crps_fair_sum=nan,
                crps_standard_sum=nan,
                squared_error_sum=4.0,
                variance_sum=1.0,
            )
        ],
        "trial": [
            write_statistics(
                "trial", TWO[0], ["REFC", "T2M"], [1], crps_gaussian_sum=3.0, crps_fair_sum=1.0
            )
        ],
    }
    summary = table(paths, reference="href")
    assert value(summary, "trial", "crps_gaussian_skill")["value"] == pytest.approx(0.25)
    assert value(summary, "href", "crps_gaussian_skill")["value"] == 0.0
    assert "crps_skill" not in set(summary["metric"])
    href = summary[summary["system"] == "href"]
    assert set(href["variable"]) == {"T2M"}
    assert not {"crps_fair", "crps_standard"} & set(href["metric"])
    assert value(summary, "href", "spread_error_ratio")["value"] == 0.5
    assert (href["members"] == 0).all()
    # The reference has no REFC: no skill, but all other scores.
    refc = summary[summary["variable"] == "REFC"]
    assert "crps_fair" in set(refc["metric"])
    assert not [metric for metric in refc["metric"] if "skill" in metric]


def test_without_a_reference_the_summary_has_no_skill(two_cases: dict[str, list[Path]]) -> None:
    assert not [metric for metric in table(two_cases)["metric"] if "skill" in metric]


def test_an_unknown_reference_is_an_error(two_cases: dict[str, list[Path]]) -> None:
    with pytest.raises(StormdrawError, match=r"reference is 'refs', .* choose one of href, trial"):
        table(two_cases, reference="refs")


def test_scores_that_are_zero_everywhere(write_statistics: Write) -> None:
    # CAPE is 0 at night in every forecast and in the truth.
    paths = {
        name: [write_statistics(name, init, ["CAPE"], [1]) for init in EIGHT]
        for name in ("href", "trial")
    }
    summary = table(paths, reference="href")
    assert value(summary, "trial", "crps_fair", "CAPE")["value"] == 0.0
    assert np.isnan(value(summary, "trial", "crps_fair", "CAPE")["ci_high"])
    for metric in ("crps_skill", "spread_error_ratio"):
        assert np.isnan(value(summary, "trial", metric, "CAPE")["value"])


def test_equal_inputs_give_equal_bytes(eight_days: dict[str, list[Path]], tmp_path: Path) -> None:
    shuffled = {name: eight_days[name][::-1] for name in reversed(eight_days)}
    for name, paths in (("first.csv", eight_days), ("second.csv", shuffled)):
        write_summary(table(paths, reference="href"), tmp_path / name)
    first = (tmp_path / "first.csv").read_bytes()
    assert first == (tmp_path / "second.csv").read_bytes()
    lines = first.decode().splitlines()
    assert (
        lines[0]
        == "system,variable,lead_hours,metric,members,cases,value,ci_low,ci_high,undefined_share,"
        "against,threshold,width,probability,init_hour,valid_hour"
    )
    assert lines[1].startswith("href,T2M,1,bias,3,8,0,,,0")
    assert "href,T2M,1,points,3,8,80,,,,,,,,," in lines
    assert b"\r" not in first


def test_a_written_table_is_read_back(two_cases: dict[str, list[Path]], tmp_path: Path) -> None:
    two_cases["null"] = two_cases.pop("trial")
    summary = table(two_cases, reference="href")
    write_summary(summary, tmp_path / "summary.csv")
    pd.testing.assert_frame_equal(read_summary(tmp_path / "summary.csv"), summary, rtol=1e-8)


def test_each_initial_hour_is_scored_alone_by_hand(two_cases: dict[str, list[Path]]) -> None:
    found = by_hour(two_cases, Scores(reference="href"))
    assert tuple(found.columns) == COLUMNS
    found = found[found["init_hour"].notna()]
    fair = found[found["metric"] == "crps_fair"].set_index(["system", "init_hour"])
    # At 06 UTC 5 / 10 and twice that, at 12 UTC 3 / 30.
    assert fair.loc[("trial", 6), "value"] == pytest.approx(0.5)
    assert fair.loc[("href", 6), "value"] == pytest.approx(1.0)
    assert fair.loc[("trial", 12), "value"] == pytest.approx(0.1)
    assert set(fair["cases"]) == {1}
    skill = found[(found["metric"] == "crps_skill") & (found["system"] == "trial")]
    assert skill["value"].tolist() == pytest.approx([0.5, 0.5])
    assert found["ci_low"].isna().all()
    # At a lead of one hour.
    assert (found["valid_hour"] == found["init_hour"] + 1).all()


def test_forecasts_valid_at_one_hour_are_scored_together_by_hand(
    write_statistics: Write, tmp_path: Path
) -> None:
    """Of leads 1 and 7 from 06 and 12 UTC, and from 23 UTC, two are valid at 13 UTC."""
    weights = {"2026060806": [10.0, 20.0], "2026060912": [30.0, 40.0], "2026061023": [50.0, 60.0]}
    crps = {"2026060806": [1.0, 2.0], "2026060912": [3.0, 4.0], "2026061023": [5.0, 6.0]}
    paths = [
        write_statistics(
            *("trial", init, ["T2M"], [1, 7]),
            weight_sum=[weights[init]],
            crps_fair_sum=[crps[init]],
        )
        for init in weights
    ]
    write_summary(by_hour({"trial": paths}, Scores()), tmp_path / "by_hour.csv")
    found = read_summary(tmp_path / "by_hour.csv")
    fair = found[(found["metric"] == "crps_fair") & found["init_hour"].isna()]
    assert fair["lead_hours"].isna().all()
    expected = {0: 5 / 50, 6: 6 / 60, 7: 1 / 10, 13: (2 + 3) / (20 + 30), 19: 4 / 40}
    assert dict(zip(fair["valid_hour"], fair["value"], strict=True)) == pytest.approx(expected)
    assert dict(zip(fair["valid_hour"], fair["cases"], strict=True))[13] == 2
    of_hour = found[(found["metric"] == "crps_fair") & found["init_hour"].notna()]
    told = of_hour[["init_hour", "lead_hours", "valid_hour"]].astype(int).to_numpy().tolist()
    assert told == [[6, 1, 7], [6, 7, 13], [12, 1, 13], [12, 7, 19], [23, 1, 0], [23, 7, 6]]
