"""The heat map of the archive's hours."""

import pandas as pd
import pytest

from stormdraw.archive.audit import COLUMNS, write_audit
from stormdraw.errors import StormdrawError
from stormdraw.report.figures.archive_audit import day_by_hour, draw_archive_audit
from stormdraw.report.style import read_label

HOURS = {
    "2026-06-01T03": "ok",
    "2026-06-01T04": "absent",
    "2026-06-03T23": "older_run",
    "2026-06-02T01": "excluded",
}


def table(statuses, source="hrrr"):
    rows = [
        {"source": source, "valid": pd.Timestamp(time), "init": pd.Timestamp(time), "lead": 0}
        | {"status": status, "bytes": 1}
        for time, status in statuses.items()
    ]
    return pd.DataFrame(rows).reindex(columns=list(COLUMNS), fill_value="")


def test_hours_are_placed_by_day_and_hour():
    days, kinds = day_by_hour(table(HOURS))
    assert [day.day for day in days] == [1, 2, 3]
    assert kinds.shape == (24, 3)
    assert (kinds[3, 0], kinds[4, 0], kinds[23, 2]) == (1, 3, 2)
    assert kinds[1, 1] == 4
    assert (kinds > 0).sum() == 4


def test_the_alternative_text_counts_each_status(tmp_path):
    write_audit(table(HOURS), tmp_path / "audit.csv")
    draw_archive_audit(tmp_path / "audit.csv", "hrrr", tmp_path / "audit.svg")
    label = read_label(tmp_path / "audit.svg")
    assert not label.gap
    for count in ("available (1)", "replaced by an older run (1)", "excluded (1)", "absent (1)"):
        assert count in label.description


def test_a_year_is_drawn_as_pixels(tmp_path):
    year = pd.date_range("2025-01-01", "2025-12-31", freq="6h")
    write_audit(table(dict.fromkeys(map(str, year), "ok")), tmp_path / "audit.csv")
    draw_archive_audit(tmp_path / "audit.csv", "hrrr", tmp_path / "audit.svg")
    assert (tmp_path / "audit.svg").stat().st_size < 300_000


def test_without_analyses_there_is_a_stated_gap(tmp_path):
    write_audit(table(HOURS, source="static"), tmp_path / "audit.csv")
    draw_archive_audit(tmp_path / "audit.csv", "hrrr", tmp_path / "audit.svg")
    assert read_label(tmp_path / "audit.svg").gap


def test_a_file_that_is_no_audit_is_refused(tmp_path):
    with pytest.raises(StormdrawError, match="not an audit"):
        draw_archive_audit(tmp_path / "none.csv", "hrrr", tmp_path / "audit.svg")
