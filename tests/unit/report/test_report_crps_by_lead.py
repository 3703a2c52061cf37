from pathlib import Path

import pandas as pd
import pytest
from report_run import Run

from stormdraw.errors import StormdrawError
from stormdraw.report.crps_by_lead import draw_crps_by_lead
from stormdraw.report.style import read_label
from stormdraw.scores.summary import read_summary, write_summary


def texts(path: Path) -> str:
    """matplotlib leaves each text of a figure as a comment beside its outlines."""
    return path.read_text()


def changed(folder: Path, summary: pd.DataFrame) -> Path:
    """A summary of one variable, which is quicker to draw."""
    write_summary(summary[summary["variable"] == "T2M"], folder / "summary.csv")
    return folder / "summary.csv"


def test_every_system_and_variable_is_there(demo_figures: dict[str, Path]) -> None:
    output = demo_figures["crps_by_lead"]
    for text in (
        "ddpm_residual",
        "href_mean_spread (Gaussian)",
        "persistence (absolute error)",
        "REFC  (dBZ)",
        "WIND10  (m s⁻¹)",
        "lead (h)",
    ):
        assert f"<!-- {text} -->" in texts(output)
    assert "2 cases" in read_label(output).description
    # Two days are too few to resample.
    assert "no intervals: too few cases" in texts(output)


def test_intervals_are_drawn_where_there_are_any(demo_run: Run, tmp_path: Path) -> None:
    summary = read_summary(demo_run.summary)
    summary["ci_low"], summary["ci_high"] = 0.9 * summary["value"], 1.1 * summary["value"]
    output = tmp_path / "crps_by_lead.svg"
    draw_crps_by_lead(demo_run.settings, changed(tmp_path, summary), output)
    assert "bands: 95% intervals" in texts(output)
    assert 'id="FillBetweenPolyCollection_1"' in texts(output)


def test_a_baseline_far_off_is_named_with_its_values(demo_run: Run, tmp_path: Path) -> None:
    summary = read_summary(demo_run.summary)
    far = (summary["system"] == "climatology") & (summary["metric"] == "crps_fair")
    summary.loc[far, "value"] = 1e6
    output = tmp_path / "crps_by_lead.svg"
    draw_crps_by_lead(demo_run.settings, changed(tmp_path, summary), output)
    assert "<!-- climatology 1e+06 to 1e+06 -->" in texts(output)


def test_one_lead_is_enough(demo_run: Run, tmp_path: Path) -> None:
    summary = read_summary(demo_run.summary)
    output = tmp_path / "crps_by_lead.svg"
    one = changed(tmp_path, summary[summary["lead_hours"] == 1])
    draw_crps_by_lead(demo_run.settings, one, output)
    assert not read_label(output).gap


def test_no_crps_is_a_stated_gap(demo_run: Run, tmp_path: Path) -> None:
    summary = read_summary(demo_run.summary)
    output = tmp_path / "crps_by_lead.svg"
    none = changed(tmp_path, summary[summary["metric"] == "rmse"])
    draw_crps_by_lead(demo_run.settings, none, output)
    assert read_label(output).gap


def test_a_table_of_something_else_is_refused(demo_run: Run, tmp_path: Path) -> None:
    (tmp_path / "summary.csv").write_text("a,b\n1,2\n")
    with pytest.raises(StormdrawError, match=r"summary\.csv: lacks the column system"):
        draw_crps_by_lead(demo_run.settings, tmp_path / "summary.csv", tmp_path / "out.svg")
    with pytest.raises(StormdrawError, match="run the scores stage first"):
        draw_crps_by_lead(demo_run.settings, tmp_path / "none.csv", tmp_path / "out.svg")
    assert not (tmp_path / "out.svg").exists()
