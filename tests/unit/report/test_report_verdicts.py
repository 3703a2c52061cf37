"""The part of the page that says who is better, from tables written by hand."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from report_page import Page, write_page
from report_run import DEMO, Run

from stormdraw.report.verdicts import describe_verdicts
from stormdraw.report.wording import MINUS, NOTHING
from stormdraw.scores.missing import COLUMNS as MISSING
from stormdraw.scores.summary import write_summary
from stormdraw.scores.verdicts import COLUMNS, TOO_FEW_DAYS
from stormdraw.settings import load_settings

SETTINGS = load_settings(DEMO)


def row(**given: Any) -> dict[str, Any]:
    usual = {
        "system": "ddpm_residual",
        "reference": "href",
        "variable": "T2M",
        "lead_hours": 1,
        "metric": "crps_fair",
        "members": 50,
        "reference_members": 10,
        "cases": 8,
        "days": 8,
        "value": 0.5,
        "reference_value": 0.75,
        "difference": -0.25,
        "ci_low": -0.4,
        "ci_high": -0.1,
        "verdict": "better",
        "own_crps_fair": 0.5,
    }
    return usual | given


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    write_summary(pd.DataFrame(rows, columns=list(COLUMNS)), folder / "verdicts.csv")
    return folder / "verdicts.csv"


def test_each_verdict_stands_at_its_variable_and_lead(tmp_path: Path) -> None:
    rows = [
        row(),
        row(lead_hours=2, difference=0.5, ci_low=0.125, ci_high=0.75, verdict="worse"),
        row(variable="REFC", lead_hours=2, days=6, verdict="no difference"),
        row(system="persistence", reference="climatology"),
    ]
    found = describe_verdicts(written(tmp_path, rows), None, SETTINGS)
    against_href, against_climatology = found.tables
    assert (against_href.reference, against_href.leads) == ("href", [1, 2])
    assert against_href.days == ["8 days", "6 to 8 days"]
    storms, temperature = against_href.rows
    assert (storms.variable, temperature.variable) == ("REFC", "T2M")
    assert [cell.verdict for cell in storms.cells] == [NOTHING, "no difference"]
    assert [cell.tone for cell in temperature.cells] == ["better", "worse"]
    assert temperature.cells[1].difference == "+0.500 (+0.125 to +0.750)"
    assert temperature.cells[0].difference.startswith(f"{MINUS}0.250 (")
    assert [one.system for one in against_climatology.rows] == ["persistence"]


def test_what_is_withheld_says_why(tmp_path: Path) -> None:
    nan = float("nan")
    rows = [row(days=2, cases=2, ci_low=nan, ci_high=nan, verdict=TOO_FEW_DAYS)]
    found = describe_verdicts(written(tmp_path, rows), None, SETTINGS)
    (cell,) = found.tables[0].rows[0].cells
    assert (cell.verdict, cell.tone, cell.difference) == ("undecided", "", f"{MINUS}0.250")
    assert any("2 initial days: an interval needs at least 5" in note for note in found.caveats)


def test_gaussians_stand_beside_the_full_score(tmp_path: Path) -> None:
    rows = [row(metric="crps_gaussian", reference_members=0, own_crps_fair=0.4), row(lead_hours=2)]
    found = describe_verdicts(written(tmp_path, rows), None, SETTINGS)
    assert found.tables[0].any_gaussian
    assert [cell.gaussian for cell in found.tables[0].rows[0].cells] == [True, False]
    (beside,) = found.gaussian
    assert (beside.value, beside.reference_value, beside.own_crps_fair) == (
        "0.500",
        "0.750",
        "0.400",
    )
    assert any("not to be set against them" in note for note in found.caveats)


def test_missing_data_are_told_beside_the_tables(tmp_path: Path) -> None:
    rows = [
        ("href", "T2M", "2026060806", 1, 2, 0, 0, 100, ""),
        ("href", "T2M", "2026060806", 2, 10, 0, 0, 0, ""),
        ("hrrr", "T2M", "2026060806", 1, 0, 7, 0, 100, ""),
        ("one", "T2M", "2026060812", 1, 5, 0, 0, 0, "the initial state has masked points"),
        ("one", "D2M", "2026060812", 1, 5, 0, 0, 0, "the initial state has masked points"),
        ("two", "T2M", "2026060812", 1, 5, 0, 0, 0, "the initial state has masked points"),
    ]
    write_summary(pd.DataFrame(rows, columns=list(MISSING)), tmp_path / "missing.csv")
    found = describe_verdicts(written(tmp_path, [row()]), tmp_path / "missing.csv", SETTINGS)
    told = " ".join(found.caveats)
    assert "href lacks members in 2 of its forecasts" in told
    assert "; 1 are left out for all systems" in told
    assert "hrrr lacks points in 1 of its forecasts" in told
    assert told.count("cannot start") == 1
    assert (
        "The case of 2026-06-08 12 UTC is left out for all systems: one, two cannot start there, "
        "since the initial state has masked points." in told
    )


@pytest.mark.parametrize("given", [True, False])
def test_nothing_to_compare_with_is_stated(given: bool, tmp_path: Path) -> None:
    path = written(tmp_path, []) if given else None
    found = describe_verdicts(path, None, SETTINGS)
    assert found.gap
    assert not found.tables


def test_they_are_on_the_page(demo_run: Run, tmp_path: Path) -> None:
    page = Page(write_page(demo_run, tmp_path / "page.html"))
    assert "Against href" in page.text
    assert "Against climatology" in page.text
    assert "undecided" in page.text
    assert "2 initial days: an interval needs at least 5, and none is given." in page.text
    assert "The truth is the simulated analysis" in page.text
    assert "members of different models or ages" in page.text
    assert "its full fair CRPS" in page.text
    assert "No system and no truth lacked anything" in page.text
