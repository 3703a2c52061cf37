from pathlib import Path

from report_run import Run

from stormdraw.report.style import read_label
from stormdraw.report.variable_figures import draw_variables


def test_a_sheet_has_every_panel(demo_sheets: dict[str, Path]) -> None:
    assert list(demo_sheets) == ["REFC", "T2M", "U10", "V10", "WIND10"]
    text = demo_sheets["REFC"].read_text()
    for expected in (
        "Composite radar reflectivity (REFC) · 2 cases · dBZ",
        "CRPS: low is good",
        "Spread and error",
        "Rank histogram: flat",
        "Reliability, ≥",
        "Fractions skill, ≥",
        "perfect",
    ):
        assert f"<!-- {expected}" in text
    label = read_label(demo_sheets["REFC"])
    assert not label.gap
    assert "2 cases" in label.description


def test_what_a_variable_lacks_is_said_in_its_panel(demo_sheets: dict[str, Path]) -> None:
    text = demo_sheets["T2M"].read_text()
    assert "no threshold of T2M" in text
    assert "Reliability, ≥" not in text


def test_a_variable_nobody_scores_is_a_stated_gap(demo_run: Run, tmp_path: Path) -> None:
    one = {"persistence": demo_run.scores["persistence"]}
    outputs = {"CAPE": tmp_path / "CAPE.svg"}
    draw_variables(demo_run.settings, demo_run.summary, one, outputs)
    label = read_label(outputs["CAPE"])
    assert label.gap
    assert label.description == "No system has a score of CAPE."
