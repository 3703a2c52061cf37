"""The matrix, the verdict and what limits it, from tables written by hand."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_page import Page, write_page
from report_run import DEMO, Run

from stormdraw.report.limits import banner, limits
from stormdraw.report.matrix import contenders, matrix, tone_of
from stormdraw.report.notes import comparison_notes
from stormdraw.report.style import looks
from stormdraw.report.verdict import verdict
from stormdraw.report.wording import MINUS, NARROW, NOTHING
from stormdraw.scores.missing import COLUMNS as MISSING
from stormdraw.scores.summary import write_summary
from stormdraw.scores.verdicts import TOO_FEW_DAYS
from stormdraw.settings import Settings, load_settings

# (system, variable, lead, metric, members, value, ci_low, ci_high)
ROWS = [
    ("ddpm_residual", "T2M", 1, "crps_fair", 50, 0.6, None, None),
    ("ddpm_residual", "T2M", 2, "crps_fair", 50, 0.9, None, None),
    ("ddpm_residual", "T2M", 1, "crps_skill", 50, 0.4, 0.1, 0.5),
    ("ddpm_residual", "T2M", 2, "crps_skill", 50, 0.1, 0.05, 0.2),
    ("href", "T2M", 1, "crps_fair", 10, 1.0, None, None),
    ("href", "T2M", 2, "crps_fair", 10, 1.0, None, None),
    # As in a real summary: its skill against itself is 0, and says nothing.
    ("href", "T2M", 1, "crps_skill", 10, 0.0, None, None),
    ("persistence", "T2M", 1, "crps_fair", 1, 1.02, None, None),
    ("persistence", "T2M", 2, "crps_fair", 1, 2.0, None, None),
    ("persistence", "T2M", 1, "crps_skill", 1, -0.015, -0.3, 0.2),
    ("persistence", "T2M", 2, "crps_skill", 1, -1.0, -1.5, -0.5),
    ("href_mean_spread", "T2M", 1, "crps_gaussian", 0, 1.1, None, None),
    ("href_mean_spread", "T2M", 2, "crps_gaussian", 0, 1.1, None, None),
    ("href_mean_spread", "T2M", 1, "crps_gaussian_skill", 0, -0.3, None, None),
    ("perfect", "T2M", 1, "crps_fair", 50, 0.5, None, None),
    ("perfect", "T2M", 2, "crps_fair", 50, 0.6, None, None),
    ("ddpm_residual", "REFC", 1, "crps_fair", 50, 3.3, None, None),
    ("ddpm_residual", "REFC", 2, "crps_fair", 50, 3.3, None, None),
    ("href", "REFC", 1, "crps_fair", 10, 3.0, None, None),
    ("href", "REFC", 2, "crps_fair", 10, 3.0, None, None),
]


def settings(reference: str | None = "href", **changes: Any) -> Settings:
    config = {**copy.deepcopy(DEMO), **changes}
    config["scores"] = {"reference": reference}
    return load_settings(config)


def summary(rows: list[tuple] = ROWS, **changes: Any) -> pd.DataFrame:
    columns = ["system", "variable", "lead_hours", "metric", "members", "value"]
    table = pd.DataFrame(rows, columns=[*columns, "ci_low", "ci_high"])
    table = table.astype({"ci_low": float, "ci_high": float}).assign(cases=5, **changes)
    # The metrics that every real summary has.
    others = [
        table.drop_duplicates(["system", "variable", "lead_hours"]).assign(metric=metric, value=1.0)
        for metric in ("rmse", "spread_error_ratio")
        if metric not in set(table["metric"])
    ]
    return pd.concat([table, *others], ignore_index=True)


def judged(*rows: tuple[str, str, str, int, str]) -> pd.DataFrame:
    """(system, other, variable, lead, verdict)."""
    columns = ["system", "reference", "variable", "lead_hours", "verdict"]
    return pd.DataFrame(list(rows), columns=columns).assign(days=5)


def percent(text: str) -> str:
    return text.replace("-", MINUS) + f"{NARROW}%"


def signed(text: str) -> str:
    return text.replace("-", MINUS)


def cell(choice: str, system: str, column: int, **options: Any) -> list[str]:
    """[text, class, title] of a system in the columns REFC 1 h, 2 h, T2M 1 h, 2 h."""
    given = {"by_hour": None, "verdicts": None, "settings": settings()} | options
    hour = given.pop("hour", 0)
    shown = matrix(given.pop("summary", summary()), **given)
    row = [one.name for one in shown.rows].index(system)
    return shown.cells[shown.labels.index(choice)][hour][row][column]


def test_rows_and_columns_are_in_their_usual_order() -> None:
    shown = matrix(summary(), None, None, settings())
    assert [name for name, _ in shown.variables] == ["REFC", "T2M"]
    assert shown.leads == [1, 2]
    assert [(row.name, row.size) for row in shown.rows] == [
        ("ddpm_residual", "50 members"),
        ("href", "10 members"),
        ("href_mean_spread", "mean and spread"),
        ("persistence", "1 member"),
        ("perfect", "50 members"),
    ]
    assert shown.rows[0].colour == looks(settings())["ddpm_residual"].colour
    # The headline first: skill against the reference.
    assert shown.labels[0] == "skill against href (%)"


def test_skill_is_coloured_by_its_size() -> None:
    skill = "skill against href (%)"
    assert cell(skill, "ddpm_residual", 2)[:2] == [signed("+40"), "better-5"]
    assert cell(skill, "persistence", 3)[:2] == [signed("-100"), "worse-5"]
    # 1.5 % is less than the smallest difference worth a colour.
    assert cell(skill, "persistence", 2)[:2] == [signed("-2"), ""]
    assert cell(skill, "href", 2) == [NOTHING, "none", "href, T2M, 1 h: none"]


def test_the_smallest_difference_is_a_setting() -> None:
    wide = settings(report={"smallest_difference": 0.2})
    skill = "skill against href (%)"
    assert cell(skill, "ddpm_residual", 3, settings=wide)[1] == ""
    assert cell(skill, "ddpm_residual", 2, settings=wide)[1] == "better-1"


@pytest.mark.parametrize(
    ("value", "tone"),
    [
        (0.019, ""),
        (-0.02, "worse-1"),
        (0.07, "better-2"),
        (0.1, "better-3"),
        (-0.25, "worse-4"),
        (3.0, "better-5"),
    ],
)
def test_colours_grow_with_skill(value: float, tone: str) -> None:
    assert tone_of(value, 0.02) == tone


def test_only_what_is_decided_is_sure() -> None:
    told = judged(
        ("ddpm_residual", "href", "T2M", 1, "better"),
        ("ddpm_residual", "href", "T2M", 2, TOO_FEW_DAYS),
        ("persistence", "climatology", "T2M", 2, "worse"),
    )
    skill = "skill against href (%)"
    assert cell(skill, "ddpm_residual", 2, verdicts=told)[1] == "better-5 sure"
    assert cell(skill, "ddpm_residual", 3, verdicts=told)[1] == "better-3"
    assert cell(skill, "persistence", 3, verdicts=told)[1] == "worse-5"


def test_a_gaussian_is_marked_and_competes_with_nobody() -> None:
    text, kind, title = cell("skill against href (%)", "href_mean_spread", 2)
    assert text == signed("-30") + "ᵍ"
    assert kind == "worse-4"
    assert title.endswith("of Gaussians")
    cheap = summary()
    cheap.loc[cheap["metric"] == "crps_gaussian", "value"] = 0.1
    assert cell("fair CRPS", "href_mean_spread", 2, summary=cheap)[1] == ""


def test_a_star_is_for_the_best_contender_never_for_the_perfect_ensemble() -> None:
    assert contenders(settings()) == ["ddpm_residual", "href", "href_mean_spread"]
    assert cell("fair CRPS", "ddpm_residual", 2)[:2] == ["0.600", "best"]
    assert cell("fair CRPS", "perfect", 2)[1] == ""
    assert cell("fair CRPS", "href", 0)[1] == "best"
    assert cell("fair CRPS", "ddpm_residual", 0)[1] == ""


def test_a_baseline_wins_no_star() -> None:
    rows = [(*row[:5], 0.01, *row[6:]) if row[0] == "persistence" else row for row in ROWS]
    assert cell("fair CRPS", "persistence", 2, summary=summary(rows))[1] == ""


def test_an_only_contender_competes_with_nobody() -> None:
    config = copy.deepcopy(DEMO)
    kept = ("ddpm_residual", "persistence", "perfect")
    systems = [one for one in config["ensembles"]["systems"] if one["name"] in kept]
    alone = settings(None, ensembles={"members": 50, "systems": systems})
    rows = [row for row in ROWS if row[0] in kept]
    assert cell("fair CRPS", "ddpm_residual", 2, summary=summary(rows), settings=alone)[1] == ""


def test_nearness_to_the_perfect_ensemble_is_a_ratio() -> None:
    # 0.6 / 0.5 and 0.9 / 0.6
    ratio = "fair CRPS over that of perfect"
    assert [cell(ratio, "ddpm_residual", column)[0] for column in (2, 3)] == ["1.20", "1.50"]
    assert cell(ratio, "perfect", 2)[0] == "1.00"


@pytest.mark.parametrize(
    ("ratio", "tone"), [(1.0, ""), (0.93, ""), (0.5, "worse-5"), (2.0, "worse-5")]
)
def test_a_wrong_spread_is_red_either_way(ratio: float, tone: str) -> None:
    rows = [("href", "T2M", lead, "spread_error_ratio", 10, ratio, None, None) for lead in (1, 2)]
    assert cell("spread / RMSE", "href", 0, summary=summary(rows))[:2] == [f"{ratio:.2f}", tone]


def test_events_can_be_chosen() -> None:
    rows = [
        ("ddpm_residual", "REFC", 1, "fss_30_9", 50, 0.75, None, None),
        ("href", "REFC", 1, "fss_30_9", 10, 0.5, None, None),
        ("ddpm_residual", "REFC", 1, "brier_fair_30", 50, 0.02, None, None),
        ("href", "REFC", 1, "brier_fair_30", 10, 0.01, None, None),
        ("persistence", "REFC", 1, "brier_30", 1, 0.03, None, None),
    ]
    table = summary(rows)
    assert cell("FSS ≥ 30, 9 points wide", "ddpm_residual", 0, summary=table)[:2] == [
        "0.75",
        "best",
    ]
    assert cell("Brier score ≥ 30", "href", 0, summary=table)[1] == "best"
    assert cell("Brier score ≥ 30", "persistence", 0, summary=table)[0] == "0.0300"


def test_an_initial_hour_can_be_chosen() -> None:
    by_hour = pd.concat(
        [
            summary().assign(initial_hour=6, cases=2),
            summary([(*row[:5], 2 * row[5], *row[6:]) for row in ROWS]).assign(initial_hour=18),
        ]
    )
    shown = matrix(summary(), by_hour, None, settings())
    assert shown.hours == ["all", "06 UTC", "18 UTC"]
    found = [cell("fair CRPS", "href", 2, by_hour=by_hour, hour=hour)[0] for hour in range(3)]
    assert found == ["1.00", "1.00", "2.00"]
    title = cell("fair CRPS", "href", 2, by_hour=by_hour, hour=1)[2]
    assert title == "href, T2M, 1 h: fair CRPS 1.00, 2 cases"


def paired(verdict: str, low: float, high: float) -> pd.DataFrame:
    """The row of overall.csv that the first sentence needs."""
    row = {
        "system": "ddpm_residual",
        "reference": "href",
        "variable": "all",
        "metric": "crps_fair",
        "days": 4,
        "ci_low": low,
        "ci_high": high,
        "verdict": verdict,
    }
    return pd.DataFrame([row])


def test_the_verdict_names_the_best_and_what_it_loses() -> None:
    # Geometric mean of 0.75 / 1 and 3.3 / 3: 0.908.
    first, loss, decided = verdict(
        summary(),
        judged(
            ("ddpm_residual", "href", "T2M", 1, "better"),
            ("ddpm_residual", "href", "T2M", 2, "better"),
            ("ddpm_residual", "href", "REFC", 1, "worse"),
            ("ddpm_residual", "href", "REFC", 2, "no difference"),
            ("ddpm_residual", "href", "T2M", 3, "undecided"),
            ("persistence", "href", "T2M", 1, "worse"),
        ),
        paired("better", 0.02, 0.15),
        settings(),
    )
    assert first == (
        f"ddpm_residual is best: its fair CRPS is 9{NARROW}% below that of href, with a 95% "
        f"interval of its skill of {percent('+2')} to {percent('+15')}; over 2 variables and leads "
        "of 1 to 2 h."
    )
    assert loss == f"It loses to href in REFC ({percent('-10')})."
    assert decided == (
        "Of 5 comparisons of a variable at a lead with href, 2 are better and 1 worse than chance "
        "explains, 1 show no difference; the other 1 are undecided."
    )


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        (("no difference", -0.01, 0.01), "ddpm_residual and href are as good as each other, with"),
        (
            ("undecided", -0.02, 0.2),
            "ddpm_residual has the lowest scores, but that it is better is not shown: its fair "
            f"CRPS is 9{NARROW}% below that of href, with a 95% interval of its skill of "
            f"{percent('-2')} to {percent('+20')}; over",
        ),
        (
            (TOO_FEW_DAYS, np.nan, np.nan),
            "below that of href, of too few days for an interval (4 days); over",
        ),
    ],
)
def test_the_verdict_says_how_sure_it_is(pair: tuple[str, float, float], told: str) -> None:
    assert told in verdict(summary(), None, paired(*pair), settings())[0]


def test_a_verdict_of_other_systems_or_of_one_variable_says_nothing() -> None:
    others = pd.concat(
        [
            paired("better", 0.02, 0.15).assign(system="href", reference="ddpm_residual"),
            paired("better", 0.02, 0.15).assign(variable="T2M"),
            paired("better", 0.02, 0.15).assign(metric="crps_gaussian"),
        ]
    )
    assert "is not shown" in verdict(summary(), None, others, settings())[0]


def test_a_baseline_that_wins_a_variable_is_named() -> None:
    rows = [(*row[:5], 0.5, *row[6:]) if row[0] == "persistence" else row for row in ROWS]
    told = verdict(summary(rows), None, None, settings())
    # 1 - 0.75 / 0.5
    assert f"It loses to persistence in T2M ({percent('-50')})." in told


def test_the_reference_may_be_best() -> None:
    rows = [row for row in ROWS if row[1] == "REFC"]
    told = verdict(summary(rows), None, None, settings())
    assert told[0].startswith(
        "href has the lowest scores, but that it is better is not shown: its fair CRPS is "
        f"9{NARROW}% below that of ddpm_residual"
    )


def test_without_scores_there_is_no_verdict() -> None:
    assert verdict(summary().iloc[:0], None, None, settings()) == ["Nothing is scored."]
    only = summary([row for row in ROWS if row[0] == "perfect"])
    assert verdict(only, None, None, settings())[0].startswith("No contender has a fair CRPS")


def test_the_banner_says_first_what_limits_the_verdict() -> None:
    told = banner(settings(), summary(), judged(("href", "persistence", "T2M", 1, "better")))
    assert told == [
        "Simulated archive: nothing here is about real weather.",
        "5 cases on 5 days, too few to rest a decision on.",
        "The truth is the simulated analysis, from which the models learn.",
    ]
    many = summary().assign(cases=60)
    assert "60 cases." in banner(settings(), many, None)


def test_limits_are_those_of_the_run() -> None:
    told = " ".join(limits(settings(), summary()))
    assert "The archive is simulated" in told
    assert "rest on 5 cases only: small" in told
    assert "not exchangeable" in told
    assert "The perfect ensemble" in told
    assert "The truth is the simulated analysis" in told
    assert "Single members of HREF may be absent" in told
    systems = [
        system
        for system in copy.deepcopy(DEMO)["ensembles"]["systems"]
        if system["method"] in ("diffusion", "baseline")
    ]
    real = settings(
        "persistence",
        archive={"source": ["aws"], "analysis_lead": 1},
        variables=["T2M"],
        ensembles={"systems": systems},
    )
    told = " ".join(limits(real, summary()))
    assert "1 h forecasts stand in for the analysis" in told
    assert "no reflectivity" in told
    assert "favours systems made from HRRR" in told
    for absent in ("simulated", "exchangeable", "perfect ensemble", "HREF"):
        assert absent not in told


@pytest.mark.parametrize("missing", ["fail", "skip", "older_run"])
def test_what_is_left_out_is_told_as_the_configuration_has_it(missing: str) -> None:
    archive = {"source": "simulated", "reference": "href", "missing": missing}
    systems = [
        {"name": "persistence", "method": "baseline", "kind": "persistence"},
        {"name": "lagged", "method": "baseline", "kind": "lagged"},
    ]
    run = settings("persistence", archive=archive, ensembles={"systems": systems})
    told = " ".join(limits(run, summary()))
    assert ("Hours and forecasts that no source" in told) == (missing != "fail")
    assert ("an analysis is replaced by a forecast" in told) == (missing == "older_run")
    # Whatever `missing` says.
    assert "Single members of the lagged HRRR may be absent" in told


def test_a_variable_the_reference_lacks_is_told() -> None:
    rows = [row for row in ROWS if row[:2] != ("href", "REFC")]
    told = limits(settings(), summary(rows))
    assert "The reference href lacks REFC: there is no skill for it." in told
    assert any("No reference is set" in one for one in limits(settings(None), summary()))


def test_missing_data_are_told(tmp_path: Path) -> None:
    rows = [
        ("href", "T2M", "2026060806", 1, 2, 0, 0, 100, ""),
        ("href", "T2M", "2026060806", 2, 10, 0, 0, 0, ""),
        ("hrrr", "T2M", "2026060806", 1, 0, 7, 0, 100, ""),
        ("one", "T2M", "2026060812", 1, 5, 0, 0, 0, "the initial state has missing points"),
        ("one", "D2M", "2026060812", 1, 5, 0, 0, 0, "the initial state has missing points"),
        ("two", "T2M", "2026060812", 1, 5, 0, 0, 0, "the initial state has missing points"),
    ]
    write_summary(pd.DataFrame(rows, columns=list(MISSING)), tmp_path / "missing.csv")
    told = " ".join(comparison_notes(None, tmp_path / "missing.csv", settings()))
    assert "href lacks members in 2 of its forecasts" in told
    assert "; 1 are left out for all systems" in told
    assert "hrrr lacks points in 1 of its forecasts" in told
    assert told.count("cannot start") == 1
    assert (
        "The case of 2026-06-08 12 UTC is left out for all systems: one, two cannot start there, "
        "since the initial state has missing points." in told
    )


def test_they_are_on_the_page(demo_run: Run, demo_page: Path) -> None:
    page = Page(demo_page)
    (first, *_) = verdict(pd.read_csv(demo_run.summary), None, None, demo_run.settings)
    # The page is read with all white space as blanks.
    assert " ".join(first.split()) in page.text
    assert "2 cases on 2 days, too few to rest a decision on." in page.text
    assert "2 initial days: an interval needs at least 8, and none is given." in page.text
    assert "members of different models or ages" in page.text
    assert "No system and no truth lacked anything" in page.text


def test_the_order_of_a_reader_is_that_of_the_page(demo_run: Run, tmp_path: Path) -> None:
    page = Page(write_page(demo_run, tmp_path / "page.html"))
    places = [page.text.index(text) for text in ("Simulated archive:", "system REFC", "Variables")]
    assert places == sorted(places)
