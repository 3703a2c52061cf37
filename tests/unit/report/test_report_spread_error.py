from pathlib import Path

import pandas as pd
import pytest
from report_run import Run

from stormdraw.report.spread_error import draw_spread_error, spread_and_error
from stormdraw.report.style import read_label
from stormdraw.scores.summary import read_summary, write_summary


def rows(system: str, rmse: float, ratio: float) -> list[dict[str, object]]:
    common = {"system": system, "variable": "T2M", "lead_hours": 1}
    return [
        {**common, "metric": "rmse", "value": rmse},
        {**common, "metric": "spread_error_ratio", "value": ratio},
        {**common, "metric": "spread", "value": 99.0},
    ]


def test_spread_is_the_ratio_times_the_error() -> None:
    points = spread_and_error(pd.DataFrame(rows("href", 2.0, 0.75)))
    assert points[["rmse", "spread"]].to_numpy().tolist() == [[2.0, 1.5]]


def test_a_single_member_has_no_spread() -> None:
    points = spread_and_error(pd.DataFrame(rows("persistence", 2.0, float("nan"))))
    assert points.empty


@pytest.mark.parametrize("metric", ["rmse", "spread_error_ratio"])
def test_without_one_of_the_two_there_is_no_point(metric: str) -> None:
    table = pd.DataFrame(rows("href", 2.0, 0.75))
    assert spread_and_error(table[table["metric"] != metric]).empty


def test_ensembles_are_shown_and_single_members_are_not(demo_figures: dict[str, Path]) -> None:
    output = demo_figures["spread_error"]
    text = output.read_text()
    for system in ("ddpm_residual", "href", "href_mean_spread", "climatology", "perfect"):
        assert f"<!-- {system} -->" in text
    assert "<!-- persistence -->" not in text
    assert "RMSE of the mean (m s⁻¹)" in text
    assert "2 cases" in read_label(output).description


def test_no_spread_is_a_stated_gap(demo_run: Run, tmp_path: Path) -> None:
    summary = read_summary(demo_run.summary)
    write_summary(summary[summary["system"] == "persistence"], tmp_path / "summary.csv")
    draw_spread_error(demo_run.settings, tmp_path / "summary.csv", tmp_path / "out.svg")
    assert read_label(tmp_path / "out.svg").gap
