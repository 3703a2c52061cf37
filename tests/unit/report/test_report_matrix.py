"""The matrix of scores, from tables written by hand."""

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_run import DEMO
from summary_tables import ROWS, judged, percent, settings, signed, summary

from stormdraw.report.evidence import evidence
from stormdraw.report.matrix import contenders, matrix, tone_of
from stormdraw.report.style import looks
from stormdraw.report.wording import NOTHING
from stormdraw.scores.threshold import Threshold
from stormdraw.scores.verdicts import TOO_FEW_DAYS
from stormdraw.settings import load_settings


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


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.25, ", undefined in 25\N{NARROW NO-BREAK SPACE}% of resamples"), (0.0, ""), (np.nan, "")],
)
def test_resamples_without_an_event_are_told(share: float, told: str) -> None:
    table = summary()
    table["undefined_share"] = share
    title = cell("skill against href (%)", "ddpm_residual", 2, summary=table)[2]
    assert title.endswith(f"5 cases{told}")


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


def test_only_decided_comparisons_are_marked() -> None:
    told = judged(
        ("ddpm_residual", "href", "T2M", 1, "better"),
        ("ddpm_residual", "href", "T2M", 2, TOO_FEW_DAYS),
        ("persistence", "climatology", "T2M", 2, "worse"),
    )
    skill = "skill against href (%)"
    assert cell(skill, "ddpm_residual", 2, verdicts=told)[1] == "better-5 sure"
    assert cell(skill, "ddpm_residual", 3, verdicts=told)[1] == "better-3"
    assert cell(skill, "persistence", 3, verdicts=told)[1] == "worse-5"


def test_a_gaussian_crps_is_marked_and_gets_no_star() -> None:
    text, kind, title = cell("skill against href (%)", "href_mean_spread", 2)
    assert text == signed("-30") + "ᵍ"
    assert kind == "worse-4"
    assert title.endswith(", Gaussian CRPS")
    cheap = summary()
    cheap.loc[cheap["metric"] == "crps_gaussian", "value"] = 0.1
    assert cell("fair CRPS", "href_mean_spread", 2, summary=cheap)[1] == ""


def test_a_score_that_is_undefined_leaves_its_place_to_the_stand_in() -> None:
    undefined = ("href_mean_spread", "T2M", 1, "crps_fair", 0, None, None, None)
    both = ("href", "T2M", 1, "crps_gaussian", 10, 9.0, None, None)
    table = summary([*ROWS, undefined, both])
    assert cell("fair CRPS", "href_mean_spread", 2, summary=table)[0] == "1.10ᵍ"
    assert cell("fair CRPS", "href", 2, summary=table)[0] == "1.00"


def test_where_only_a_gaussian_crps_exists_there_is_no_star() -> None:
    rows = [row for row in ROWS if row[1] == "REFC" or row[0] == "href_mean_spread"]
    assert cell("fair CRPS", "href_mean_spread", 2, summary=summary(rows))[:2] == ["1.10ᵍ", ""]


def test_a_star_is_for_the_best_contender_never_for_the_perfect_ensemble() -> None:
    assert contenders(settings()) == ["ddpm_residual", "href", "href_mean_spread"]
    assert cell("fair CRPS", "ddpm_residual", 2)[:2] == ["0.600", "best"]
    assert cell("fair CRPS", "perfect", 2)[1] == ""
    assert cell("fair CRPS", "href", 0)[1] == "best"
    assert cell("fair CRPS", "ddpm_residual", 0)[1] == ""


def test_a_baseline_gets_no_star() -> None:
    rows = [(*row[:5], 0.01, *row[6:]) if row[0] == "persistence" else row for row in ROWS]
    assert cell("fair CRPS", "persistence", 2, summary=summary(rows))[1] == ""


def test_an_only_contender_gets_no_star() -> None:
    config = copy.deepcopy(DEMO)
    kept = ("ddpm_residual", "persistence", "perfect")
    systems = [one for one in config["ensembles"]["systems"] if one["name"] in kept]
    alone = settings(None, ensembles={"members": 50, "systems": systems})
    rows = [row for row in ROWS if row[0] in kept]
    assert cell("fair CRPS", "ddpm_residual", 2, summary=summary(rows), settings=alone)[1] == ""


def test_the_crps_is_shown_relative_to_the_perfect_ensemble() -> None:
    # 0.6 / 0.5 and 0.9 / 0.6
    ratio = "fair CRPS relative to perfect"
    assert [cell(ratio, "ddpm_residual", column)[0] for column in (2, 3)] == ["1.20", "1.50"]
    assert cell(ratio, "perfect", 2)[0] == "1.00"


def test_a_perfect_score_of_zero_gives_no_ratio_and_no_star() -> None:
    rows = [(*row[:5], 0.0, *row[6:]) if row[0] == "perfect" else row for row in ROWS]
    for system in ("ddpm_residual", "href", "perfect"):
        found = cell("fair CRPS relative to perfect", system, 2, summary=summary(rows))
        assert found[:2] == [NOTHING, "none"]


@pytest.mark.parametrize("reference", ["href", "persistence", None])
def test_each_score_that_has_values_is_offered_once(reference: str | None) -> None:
    labels = matrix(summary(), None, None, settings(reference)).labels
    assert len(labels) == len(set(labels))
    assert not [label for label in labels if label.startswith(("FSS", "ETS", "Brier"))]
    # Nobody asked for widths or probabilities.
    run = settings(reference)
    none = run.scores.model_copy(update={"neighbourhoods": [], "probabilities": []})
    assert matrix(summary(), None, None, run.model_copy(update={"scores": none})).labels == labels


def test_what_is_undefined_throughout_is_not_scored() -> None:
    undefined = summary()
    undefined.loc[undefined["system"] == "href", "value"] = np.nan
    shown = matrix(undefined, None, None, settings())
    scored = {row.name: row.scored for row in shown.rows}
    assert not any(scored["href"])
    assert all(scored["ddpm_residual"])


@pytest.mark.parametrize(
    ("ratio", "tone"), [(1.0, ""), (0.93, ""), (0.5, "worse-5"), (2.0, "worse-5")]
)
def test_too_much_and_too_little_spread_are_both_red(ratio: float, tone: str) -> None:
    rows = [("href", "T2M", lead, "spread_error_ratio", 10, ratio, None, None) for lead in (1, 2)]
    assert cell("spread / RMSE", "href", 0, summary=summary(rows))[:2] == [f"{ratio:.2f}", tone]


def test_events_can_be_chosen() -> None:
    rows = [
        ("ddpm_residual", "REFC", 1, "fss", 50, 0.75, None, None),
        ("href", "REFC", 1, "fss", 10, 0.5, None, None),
        ("ddpm_residual", "REFC", 1, "brier_fair", 50, 0.02, None, None),
        ("href", "REFC", 1, "brier_fair", 10, 0.01, None, None),
        ("persistence", "REFC", 1, "brier", 1, 0.03, None, None),
    ]
    table = summary(rows, threshold="30", width=9.0)
    # Of another threshold and width everything is worth nothing.
    others = [
        table.assign(value=9.0, threshold="20"),
        table[table["metric"] == "fss"].assign(value=9.0, width=3.0),
    ]
    table = pd.concat([others[0], table, others[1]])
    assert cell("FSS ≥ 30, 9 points wide", "ddpm_residual", 0, summary=table)[:2] == [
        "0.75",
        "best",
    ]
    assert cell("Brier score ≥ 30", "href", 0, summary=table)[1] == "best"
    assert cell("Brier score ≥ 30", "persistence", 0, summary=table)[0] == "0.0300"


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("<= 273.15", "Brier score ≤ 273.15"),
        ("p95", "Brier score ≥ p95"),
        (280, "Brier score ≥ 280"),
    ],
)
def test_an_event_is_named_where_it_is_chosen(given: float | str, label: str) -> None:
    run = load_settings({**DEMO, "scores": {"thresholds": {"T2M": [given, "<= 270"]}}})
    text = Threshold.parse(given).text
    rows = [("ddpm_residual", "T2M", 1, "brier_fair", 50, 0.02, None, None)]
    events = [summary(rows, threshold=text), summary(rows, threshold="<=270").assign(value=9.0)]
    table = pd.concat(events)
    assert cell(label, "ddpm_residual", 0, settings=run, summary=table)[0] == "0.0200"


def test_a_valid_hour_can_be_chosen() -> None:
    """Of 06 and 07 UTC: at 08 UTC are 2 h after the former and 1 h after the latter."""
    rows = [summary(ROWS).assign(init_hour=6.0), summary(ROWS).assign(init_hour=7.0)]
    rows[1]["value"] *= 2
    by_hour = pd.concat(rows)
    by_hour["valid_hour"] = by_hour["init_hour"] + by_hour["lead_hours"]
    # Of all leads together there is no column.
    together = by_hour.assign(init_hour=np.nan, lead_hours=np.nan, value=9.0)
    by_hour = pd.concat([by_hour, together])
    hours = matrix(summary(), by_hour, None, settings()).hours
    valid = [f"forecasts for {hour:02} UTC" for hour in (7, 8, 9)]
    assert hours == ["all", "cases from 06 UTC", "cases from 07 UTC", *valid]
    texts = [
        [
            cell("fair CRPS", "href", column, by_hour=by_hour, hour=hours.index(hour))[0]
            for hour in valid
        ]
        for column in (2, 3)
    ]
    alone = [cell("fair CRPS", "href", column)[0] for column in (2, 3)]
    assert [texts[0][0], texts[1][1]] == alone
    assert [float(texts[0][1]), float(texts[1][2])] == [2 * float(text) for text in alone]
    assert [texts[1][0], texts[0][2]] == [NOTHING, NOTHING]


def test_an_initial_hour_can_be_chosen() -> None:
    by_hour = pd.concat(
        [
            summary().assign(init_hour=6.0, cases=2),
            summary([(*row[:5], 2 * row[5], *row[6:]) for row in ROWS]).assign(init_hour=18.0),
        ]
    ).assign(valid_hour=np.nan)
    shown = matrix(summary(), by_hour, None, settings())
    assert shown.hours == ["all", "cases from 06 UTC", "cases from 18 UTC"]
    found = [cell("fair CRPS", "href", 2, by_hour=by_hour, hour=hour)[0] for hour in range(3)]
    assert found == ["1.00", "1.00", "2.00"]
    sure = judged(("ddpm_residual", "href", "T2M", 1, "better"))
    kinds = [
        cell(
            "skill against href (%)", *("ddpm_residual", 2), by_hour=by_hour, verdicts=sure, hour=h
        )
        for h in range(2)
    ]
    # The verdict is of all hours together.
    assert [kind for _, kind, _ in kinds] == ["better-5 sure", "better-5"]
    title = cell("fair CRPS", "href", 2, by_hour=by_hour, hour=1)[2]
    assert title == "href, T2M, 1 h: fair CRPS 1.00, 2 cases"


def test_skill_against_a_baseline_is_not_skill_against_the_reference() -> None:
    table = summary()
    skills = table[(table["metric"] == "crps_skill") & (table["system"] == "ddpm_residual")]
    table = pd.concat([skills.assign(against="persistence", value=0.5), table])
    for other, text in (("persistence", "+50"), ("href", "+40")):
        found = cell(f"skill against {other} (%)", "ddpm_residual", 2, summary=table)
        assert found[0] == text
    tables = {own.variable: own for own in evidence(table, settings())}
    row = next(own for own in tables["T2M"].rows if own.system == "ddpm_residual" and own.lead == 1)
    assert row.values[tables["T2M"].headings.index("skill")][0] == percent("+40")
