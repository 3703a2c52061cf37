"""The line about other people's libraries on the page."""

from pathlib import Path
from urllib.parse import unquote

import pytest
from report_page import Page, write_page
from report_run import Run

from stormdraw.report.second_opinion import second_opinion

HEAD = (
    "system,init,variable,lead_hours,metric,threshold,width,probability,library,starts_from,sample,"
    "ours,theirs,relative_difference,relative_to\n"
)
GRIB = '"GRIB2 by cfgrib 0.9.15.1, cropped"'
ROWS = (
    f"a,2026060806,T2M,1,spread,,,,properscoring 0.1,{GRIB},all,0.3,0.3,3.2e-07,spread\n"
    f"a,2026060806,T2M,1,rmse,,,,xskillscore 0.0.29,{GRIB},all,0.3,0.3,1e-09,rmse\n"
    "b,2026060906,REFC,2,rmse,,,,xskillscore 0.0.29,NetCDF of the truth,4 of 12 fields,1,1,0,rmse\n"
    f"c,2026060906,T2M,1,points,,,,xarray 2026.9.0,{GRIB},all,0,0,0,points\n"
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "check.csv"
    path.write_text(HEAD + ROWS)
    return path


def test_it_counts_numbers_and_says_what_was_not_checked(table: Path) -> None:
    found = second_opinion(table)
    assert found is not None
    assert found.sentences == [
        "A second opinion: 3 numbers of 2 systems, one case each, by cfgrib 0.9.15.1, "
        "properscoring 0.1 and xskillscore 0.0.29; "
        "largest relative difference 3e-07, of at most 1e-05.",
        "Of b, 4 of 12 fields (a variable at a lead), chosen by the seed.",
        "For REFC it starts from NetCDF of the truth.",
        "The chosen case of c has no point to compare.",
    ]


def test_without_a_point_there_is_no_opinion(table: Path) -> None:
    table.write_text(HEAD + ROWS.splitlines()[-1] + "\n")
    found = second_opinion(table)
    assert found is not None
    assert found.sentences == [
        "A second opinion: none.",
        "The chosen case of c has no point to compare.",
    ]


def test_the_page_has_the_line_and_the_table(
    table: Path, demo_run: Run, demo_page: Path, tmp_path: Path
) -> None:
    page = Page(write_page(demo_run, tmp_path / "page.html", check=table, maps={}))
    assert "A second opinion: 3 numbers of 2 systems" in page.text
    (link,) = [one for one in page.all("a") if one.get("download") == "check.csv"]
    assert unquote(link["href"].partition(",")[2]) == table.read_text()
    assert "scores: check" in page.text
    assert "second opinion" not in Page(demo_page).text
