"""Scores against stations on the page."""

from pathlib import Path

import pandas as pd
import pytest
from report_page import Page, write_page
from report_run import Run

from stormdraw.report.figure import figures, figures_of
from stormdraw.report.station_maps import shown_variables
from stormdraw.report.station_section import HEADINGS, station_section
from stormdraw.report.style import read_label
from stormdraw.report.summary import load_summary
from stormdraw.report.wording import NOTHING
from stormdraw.scores.stations.by_place import read_by_place
from stormdraw.scores.summary import write_summary


@pytest.fixture(scope="module")
def without_stations(demo_run: Run):
    archive = demo_run.settings.archive.model_copy(update={"stations": None})
    return demo_run.settings.model_copy(update={"archive": archive})


def section(run: Run, **tables: Path):
    summary = load_summary(run.summary)
    found = station_section(summary, None, {**run.stations, **tables}, run.settings)
    assert found is not None
    return found


def test_each_headline_stands_against_the_analysis_and_against_stations(demo_run: Run) -> None:
    found = section(demo_run)
    rows = {row[0]: dict(zip(HEADINGS[1:], row[1:], strict=True)) for row in found.rows}
    # Everybody has T2M; a published mean and spread has no components of the wind.
    assert {name for name in rows if name.startswith("T2M")} == {
        f"T2M: {system.name}" for system in demo_run.settings.ensembles.systems
    }
    assert "U10: href_mean_spread" not in rows
    assert not [name for name in rows if name.startswith("REFC")]
    summary = load_summary(demo_run.stations["summary"])
    chosen = summary[
        (summary["system"] == "perfect")
        & (summary["variable"] == "T2M")
        & (summary["which"] == "all")
        & (summary["against"] == "")
    ]
    values = chosen[chosen["threshold"].isna() | (chosen["threshold"] == "")]
    by_metric = values.groupby("metric")["value"].mean()
    assert float(rows["T2M: perfect"]["CRPS, stations"]) == pytest.approx(
        by_metric["crps_fair"], rel=0.01
    )
    assert rows["T2M: href"]["skill, stations"] == NOTHING
    assert "without error" in rows["T2M: perfect"]["spread / RMSE, stations"]
    assert rows["T2M: href_mean_spread"]["CRPS, stations"].endswith("ᵍ")


def test_another_order_of_systems_is_told(demo_run: Run, tmp_path: Path) -> None:
    """Those that compete and have members: not the perfect ensemble, a baseline or a mean."""
    table = load_summary(demo_run.stations["summary"])
    chosen = (table["variable"] == "T2M") & (table["metric"] == "crps_fair")
    for best, other in (("href", "ddpm_residual"), ("ddpm_residual", "href")):
        for system, value in ((best, 1.0), (other, 2.0)):
            table.loc[chosen & (table["system"] == system), "value"] = value
        write_summary(table, tmp_path / f"{best}.csv")
    told = {
        best: next(
            one
            for one in section(demo_run, summary=tmp_path / f"{best}.csv").sentences
            if one.startswith("In T2M the order of systems")
        )
        for best in ("href", "ddpm_residual")
    }
    # Whichever of them is best against the analysis, one of the two orders differs from it.
    (same,) = [one for one in told.values() if "is the same" in one]
    ((best, changed),) = [(one, text) for one, text in told.items() if "depends" in text]
    other = "href" if best == "ddpm_residual" else "ddpm_residual"
    assert same == f"In T2M the order of systems is the same: {other}, {best}."
    assert changed.endswith(f"against the stations {best}, {other}.")


def test_counts_and_caveats_are_told(demo_run: Run) -> None:
    text = " ".join(section(demo_run).sentences)
    places = read_by_place(demo_run.stations["by_place"])
    assert f"{places['station'].nunique()} stations count." in text
    assert "1 station left out: outside the grid (1)." in text
    assert "A station is not a grid cell" in text
    assert "T2M 0.5 K" in text
    # 11 stations, 3 leads, 2 cases.
    assert "T2M 66" in text


def test_the_page_has_the_section_only_with_stations(
    demo_page: Path, demo_run: Run, without_stations, tmp_path: Path
) -> None:
    assert "Against stations" in Page(demo_page).text
    assert "Skill at stations" in Page(demo_page).text
    other = write_page(demo_run, tmp_path / "page.html", settings=without_stations, stations={})
    assert "Against stations" not in Page(other).text


def test_maps_are_drawn_only_with_stations(demo_run: Run, without_stations) -> None:
    of_stations = {"station_bias", "station_skill"}
    assert set(figures_of(demo_run.settings)) == set(figures())
    assert set(figures_of(without_stations)) == set(figures()) - of_stations


def test_maps_say_what_they_show(demo_figures: dict[str, Path]) -> None:
    bias = read_label(demo_figures["station_bias"])
    assert not bias.gap
    assert "T2M, WIND10 of ddpm_residual, href, href_mean_spread" in bias.description
    skill = read_label(demo_figures["station_skill"])
    assert "T2M, WIND10 of ddpm_residual, href_mean_spread" in skill.description


def test_wind_speed_stands_for_its_components() -> None:
    places = pd.DataFrame({"variable": ["V10", "U10", "T2M", "WIND10"]})
    assert shown_variables(places) == ["T2M", "WIND10"]
    assert shown_variables(places[:3]) == ["T2M", "U10", "V10"]


def test_a_run_whose_stations_report_nothing_says_so(demo_run: Run, tmp_path: Path) -> None:
    write_summary(read_by_place(demo_run.stations["by_place"])[:0], tmp_path / "none.csv")
    found = section(demo_run, by_place=tmp_path / "none.csv")
    assert found.rows == []
    assert found.sentences[0] == "No report of a station could be compared with a forecast."
