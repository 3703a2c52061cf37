"""Scores against stations on the page."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from report_page import Page, write_page
from report_run import Run

from stormdraw.errors import StormdrawError
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


def orders(sentences: Sequence[str], name: str) -> str:
    """The sentence on the order of systems in a variable, as if it were of that alone."""
    (found,) = (
        one
        for one in sentences
        if " the order of systems " in one
        and name in one.removeprefix("In ").partition(" the order")[0].split(", ")
    )
    return f"In {name} the order{found.partition(' the order')[2]}"


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
        best: orders(section(demo_run, summary=tmp_path / f"{best}.csv").sentences, "T2M")
        for best in ("href", "ddpm_residual")
    }
    # Whichever of them is best against the analysis, one of the two orders differs from it.
    (same,) = [one for one in told.values() if "is the same" in one]
    ((best, changed),) = [(one, text) for one, text in told.items() if "depends" in text]
    other = "href" if best == "ddpm_residual" else "ddpm_residual"
    assert same == f"In T2M the order of systems is the same: {other}, {best}."
    assert changed.endswith(f"against the stations ({best}, {other}).")


def test_counts_and_caveats_are_told(demo_run: Run) -> None:
    text = " ".join(section(demo_run).sentences)
    places = read_by_place(demo_run.stations["by_place"])
    assert f"{places['station'].nunique()} stations count." in text
    assert "1 station left out: outside the grid (1)." in text
    assert "A station is not a grid cell" in text
    # 11 stations, 3 leads, 2 cases.
    assert "T2M 66" in text
    assert "observation error (T2M 0.5 K, U10 1 m s⁻¹, V10 1 m s⁻¹, WIND10 1 m s⁻¹)." in text


def test_errors_are_those_of_what_stations_report(demo_run: Run, tmp_path: Path) -> None:
    """The run has winds as well, which no station reports here."""
    table = load_summary(demo_run.stations["summary"])
    write_summary(table[table["variable"] == "T2M"], tmp_path / "t2m.csv")
    text = " ".join(section(demo_run, summary=tmp_path / "t2m.csv").sentences)
    assert "observation error (T2M 0.5 K)." in text


def test_what_checks_dropped_is_counted_by_reason(demo_run: Run, tmp_path: Path) -> None:
    rows = {"a": ["stuck", "stuck", "neighbours"], "b": ["stuck"] * 1000, "c": []}
    for day, reasons in rows.items():
        lines = [f"S,2026-06-08 07:00:00,T2M,280.0,{reason}" for reason in reasons]
        text = "\n".join(["station,valid,variable,value,reason", *lines])
        (tmp_path / f"{day}.csv").write_text(f"{text}\n")
    summary = load_summary(demo_run.summary)
    paths = sorted(tmp_path.glob("*.csv"))
    told = "Of the reports, 1,003 values were dropped: neighbours 1, stuck 1,002."
    found = station_section(summary, None, demo_run.stations, demo_run.settings, paths)
    assert found is not None
    assert told in found.sentences
    found = station_section(summary, None, demo_run.stations, demo_run.settings, paths[2:])
    assert found is not None
    assert "dropped" not in " ".join(found.sentences)
    paths[0].write_text("<html>\n")
    with pytest.raises(StormdrawError, match=r"a\.csv: not a list of dropped values .*delete it"):
        station_section(summary, None, demo_run.stations, demo_run.settings, paths)


def test_the_page_has_the_section_only_with_stations(
    demo_page: Path, demo_run: Run, without_stations, tmp_path: Path
) -> None:
    assert "Against stations" in Page(demo_page).text
    assert "Skill at stations" in Page(demo_page).text
    other = write_page(demo_run, tmp_path / "page.html", settings=without_stations, stations={})
    assert "Against stations" not in Page(other).text


def test_maps_are_drawn_only_with_stations(demo_run: Run, without_stations) -> None:
    of_stations = {"station_bias", "station_skill"}
    of_studies = {name for name, figure in figures().items() if not figure.over_time}
    assert set(figures_of(demo_run.settings)) == of_studies
    assert set(figures_of(without_stations)) == of_studies - of_stations


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
