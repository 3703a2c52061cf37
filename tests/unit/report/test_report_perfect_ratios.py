import copy
from pathlib import Path

from report_page import Page
from report_run import DEMO, Run

from stormdraw.report.perfect_ratios import perfect_ratios
from stormdraw.report.summary import load_summary, select
from stormdraw.settings import load_settings


def test_ratios_are_those_of_the_summary(demo_run: Run) -> None:
    summary = load_summary(demo_run.summary)
    table = perfect_ratios(summary, demo_run.settings)
    assert table is not None
    assert table.variables == ["REFC", "T2M", "U10", "V10", "WIND10"]
    systems = ["ddpm_residual", "href", "href_mean_spread", "persistence", "climatology"]
    assert [(row.system, row.lead) for row in table.rows] == [
        (system, lead) for system in systems for lead in (1, 2, 3)
    ]
    cells = {(row.system, row.lead): row.cells for row in table.rows}
    for lead in (1, 2, 3):
        own, limit = (
            select(summary, system, "T2M", "crps_fair")["value"].loc[lead]
            for system in ("href", "perfect")
        )
        calibration = select(summary, "href", "T2M", "spread_error_ratio")["value"].loc[lead]
        assert cells["href", lead][1] == (f"{own / limit:.2f}", f"{calibration:.2f}")
    # It has no reflectivity at all, and one member has no spread.
    assert cells["href_mean_spread", 1][0] == ("\N{EN DASH}", "")
    assert cells["persistence", 1][1][1] == ""


def test_no_perfect_system_no_table(demo_run: Run) -> None:
    without = copy.deepcopy(DEMO)
    without["ensembles"]["systems"].pop()
    assert perfect_ratios(load_summary(demo_run.summary), load_settings(without)) is None


def test_it_stands_on_the_page(demo_page: Path) -> None:
    page = Page(demo_page)
    assert any(section["aria-labelledby"] == "perfect" for section in page.all("section"))
    assert "Fair CRPS over that of perfect" in page.source
