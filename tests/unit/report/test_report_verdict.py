"""The verdict in a few sentences and what limits it, from tables written by hand."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_page import Page
from report_run import DEMO, Run
from summary_tables import ROWS, judged, percent, settings, summary

from stormdraw.report.limits import banner, limits
from stormdraw.report.notes import comparison_notes
from stormdraw.report.verdict import verdict
from stormdraw.report.wording import NARROW
from stormdraw.scores.missing import COLUMNS as MISSING
from stormdraw.scores.summary import write_summary
from stormdraw.scores.verdicts import TOO_FEW_DAYS, TOO_FEW_DIFFER


def paired(verdict: str, low: float, high: float) -> pd.DataFrame:
    """The rows of overall.csv that the first sentence needs."""
    row = {
        "system": "ddpm_residual",
        "reference": "href",
        "metric": "crps_fair",
        "days": 4,
        "ci_low": low,
        "ci_high": high,
        "verdict": verdict,
    }
    return pd.DataFrame([row | {"variable": name} for name in ("T2M", "REFC", "all")])


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
            ("ddpm_residual", "persistence", "T2M", 1, "better"),
        ),
        paired("better", 0.02, 0.15),
        settings(),
    )
    assert first == (
        "ddpm_residual is best: over 2 variables and leads of 1 to 2 h its fair CRPS is "
        f"9{NARROW}% lower than that of href (95% confidence interval of its skill: "
        f"{percent('+2')} to {percent('+15')})."
    )
    assert loss == f"It loses to href in REFC ({percent('-10')})."
    assert decided == (
        "5 comparisons with href by variable and lead, corrected for multiple testing: 2 better, "
        "1 worse, 1 no difference, 1 undecided."
    )


PERHAPS = (
    "ddpm_residual scores best, but this may be due to chance: over 2 variables and leads of 1 to "
    f"2 h its fair CRPS is 9{NARROW}% lower than that of href"
)


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        (
            ("no difference", -0.01, 0.01),
            "ddpm_residual and href are equally good over 2 variables and leads of 1 to 2 h "
            f"(95% confidence interval of its skill: {percent('-1')} to {percent('+1')}).",
        ),
        (
            ("undecided", -0.02, 0.2),
            f"{PERHAPS} (95% confidence interval of its skill: {percent('-2')} to "
            f"{percent('+20')}).",
        ),
        (
            (TOO_FEW_DAYS, np.nan, np.nan),
            f"{PERHAPS} (4 days: too few for a confidence interval).",
        ),
        (
            (TOO_FEW_DIFFER, np.nan, np.nan),
            f"{PERHAPS} (too few days differ for a confidence interval).",
        ),
    ],
)
def test_the_verdict_gives_the_confidence_interval_or_why_there_is_none(
    pair: tuple[str, float, float], sentence: str
) -> None:
    assert verdict(summary(), None, paired(*pair), settings())[0] == sentence


def test_comparisons_of_other_systems_or_variables_are_ignored() -> None:
    better = paired("better", 0.02, 0.15)
    for other in (
        better.assign(system="href", reference="ddpm_residual"),
        better.assign(reference="refs"),
        better.assign(metric="crps_gaussian"),
        better[better["variable"] != "all"],
        # Of more variables, and of fewer, than the ranking is.
        pd.concat([better, better.assign(variable="CAPE").iloc[:1]]),
        better[better["variable"] != "T2M"],
    ):
        assert verdict(summary(), None, other, settings())[0] == f"{PERHAPS}."
    others = judged(("persistence", "href", "T2M", 1, "worse"))
    assert "comparisons" not in " ".join(verdict(summary(), others, None, settings()))


def test_a_baseline_that_wins_a_variable_is_named() -> None:
    rows = [(*row[:5], 0.5, *row[6:]) if row[0] == "persistence" else row for row in ROWS]
    sentences = verdict(summary(rows), None, None, settings())
    # 1 - 0.75 / 0.5
    assert f"It loses to persistence in T2M ({percent('-50')})." in sentences


def test_the_reference_may_be_best() -> None:
    rows = [row for row in ROWS if row[1] == "REFC"]
    sentences = verdict(summary(rows), None, None, settings())
    assert sentences[0].startswith(
        "href scores best, but this may be due to chance: over 1 variable and leads of 1 to 2 h "
        f"its fair CRPS is 9{NARROW}% lower than that of ddpm_residual"
    )


def test_without_scores_there_is_no_verdict() -> None:
    assert verdict(summary().iloc[:0], None, None, settings()) == ["No system is scored."]
    only = summary([row for row in ROWS if row[0] == "perfect"])
    nothing = ["No variable has a fair CRPS of every contender, so they cannot be ranked."]
    assert verdict(only, None, None, settings()) == nothing
    apart = [row for row in ROWS if row[:2] in (("ddpm_residual", "T2M"), ("href", "REFC"))]
    assert verdict(summary(apart), None, None, settings()) == nothing


def test_an_only_contender_is_named_without_a_comparison() -> None:
    rows = [row for row in ROWS if row[0] in ("ddpm_residual", "persistence") and row[2] == 1]
    assert verdict(summary(rows), None, None, settings()) == [
        "ddpm_residual is the only contender. It is scored over 2 variables and a lead of 1 h.",
        "It loses to none of persistence in any variable.",
    ]
    alone = [row for row in rows if row[0] == "ddpm_residual"]
    assert verdict(summary(alone), None, None, settings()) == [
        "ddpm_residual is the only contender. It is scored over 2 variables and a lead of 1 h.",
    ]


def test_a_loss_below_the_smallest_difference_is_not_mentioned() -> None:
    # In REFC it loses by a tenth.
    for smallest, losses in ((0.09, 1), (0.11, 0)):
        run = settings(report={"smallest_difference": smallest})
        told = " ".join(verdict(summary(), None, None, run))
        assert told.count("It loses to href in REFC") == losses


def test_the_banner_names_simulation_cases_and_truth() -> None:
    told = banner(settings(), summary(), judged(("href", "persistence", "T2M", 1, "better")))
    assert told == [
        "Simulated archive: these scores say nothing about real weather.",
        "5 cases on 5 days, too few to support a decision.",
        "The truth is the simulated analysis, from which the models learn.",
    ]
    many = summary().assign(cases=60)
    assert "60 cases." in banner(settings(), many, None)


def test_limits_are_those_of_the_run() -> None:
    told = " ".join(limits(settings(), summary()))
    assert "The archive is simulated" in told
    assert "rest on only 5 cases: small" in told
    assert "not exchangeable" in told
    assert "The perfect ensemble" in told
    assert "The truth is the simulated analysis" in told
    assert "Individual members of HREF may be absent" in told
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
    assert "1 h forecasts replace the analysis" in told
    assert "no reflectivity" in told
    assert "favours systems made from HRRR" in told
    for absent in ("simulated", "exchangeable", "perfect ensemble", "HREF"):
        assert absent not in told


@pytest.mark.parametrize("missing", ["fail", "skip", "older_run"])
def test_limits_describe_the_configured_treatment_of_missing_hours(missing: str) -> None:
    archive = {"source": "simulated", "reference": "href", "missing": missing}
    systems = [
        {"name": "persistence", "method": "baseline", "kind": "persistence"},
        {"name": "lagged", "method": "baseline", "kind": "lagged"},
    ]
    run = settings("persistence", archive=archive, ensembles={"systems": systems})
    told = " ".join(limits(run, summary()))
    assert ("Hours and forecasts that no source" in told) == (missing != "fail")
    assert ("replaces a missing analysis" in told) == (missing == "older_run")
    # Whatever `missing` says.
    assert "Individual members of the lagged HRRR may be absent" in told


def test_limits_name_variables_that_the_reference_lacks() -> None:
    rows = [row for row in ROWS if row[:2] != ("href", "REFC")]
    told = limits(settings(), summary(rows))
    assert "The reference href has no REFC, so no skill is computed there." in told
    assert any("No reference is set" in one for one in limits(settings(None), summary()))


def test_notes_count_missing_data_by_system(tmp_path: Path) -> None:
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
    assert "(each one variable at one lead); left out for all systems: 1." in told
    assert "hrrr lacks points in 1 of its forecasts" in told
    assert told.count("cannot start") == 1
    assert (
        "The case of 2026-06-08 12 UTC is left out for all systems: one, two cannot start there, "
        "because the initial state has missing points." in told
    )


def test_gaps_of_the_truth_are_told_once_for_all_systems(tmp_path: Path) -> None:
    """Of 400 points, 100 and 50 lie beyond the radars: 75 on average."""
    rows = [
        (system, "REFC", "2026060806", lead, 0, 0, missing, 400 - missing, "")
        for system in ("href", "one")
        for lead, missing in ((1, 100), (2, 50))
    ]
    write_summary(pd.DataFrame(rows, columns=list(MISSING)), tmp_path / "missing.csv")
    archive = {"source": "simulated", "reference": "href", "truth": {"REFC": "mrms"}}
    run = settings(archive=archive)
    how = None, tmp_path / "missing.csv", run
    first, *others = comparison_notes(*how, points=400)
    assert first == (
        "The truth of REFC, the simulated radar mosaic, has no value at 75 points, 18.8 % of all, "
        "on average over the 2 cases and leads at which it lacks some. They count for no system."
    )
    assert not [note for note in others if "lacks  of" in note or " lacks points" in note]
    assert comparison_notes(*how)[0] == first.replace(", 18.8 % of all", "")


def test_verdict_banner_limits_and_notes_are_on_the_page(demo_run: Run, demo_page: Path) -> None:
    page = Page(demo_page)
    (first, *_) = verdict(pd.read_csv(demo_run.summary), None, None, demo_run.settings)
    # The page is read with all white space as blanks.
    assert " ".join(first.split()) in page.text
    assert "2 cases on 2 days, too few to support a decision." in page.text
    assert "2 initial days: an interval needs at least 8, and none is given." in page.text
    assert "members of different models or ages" in page.text
    assert "No forecast and no truth has gaps" in page.text


def test_banner_matrix_and_variables_follow_each_other(demo_page: Path) -> None:
    page = Page(demo_page)
    places = [page.text.index(text) for text in ("Simulated archive:", "system REFC", "Variables")]
    assert places == sorted(places)
