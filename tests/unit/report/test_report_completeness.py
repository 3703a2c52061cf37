from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from report_run import Run

from stormdraw.archive.manifest import ManifestRow, write_manifest
from stormdraw.errors import StormdrawError
from stormdraw.report.completeness import completeness


def test_messages_are_counted_by_source_and_status(demo_run: Run) -> None:
    found = completeness(demo_run.manifests)
    assert found.headings == ["source", "days", "ok", "absent", "size"]
    assert [row[:4] for row in found.rows] == [("hrrr", "1", "4", "0"), ("href", "1", "3", "1")]
    assert found.rows[1][4] == "2.93 KiB"
    assert found.absent == ["href hrrr_00h D2M, 2026-06-08 06 UTC + 1 h: absent"]
    assert found.more_absent == 0


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    row = ManifestRow(
        "f", "T2M", "", datetime(2026, 6, 8), 0, "mean", 0, 0, "", "somewhere", "absent"
    )
    path = tmp_path / "archive" / "href_products" / "20260608" / "manifest.csv"
    path.parent.mkdir(parents=True)
    write_manifest(path, [replace(row, lead=lead) for lead in range(33)])
    found = completeness([path])
    assert found.absent[0] == "href_products T2M mean, 2026-06-08 00 UTC + 0 h: absent"
    assert len(found.absent) == 20
    assert found.more_absent == 13


def test_variables_of_a_file_are_listed_together_with_their_reason(tmp_path: Path) -> None:
    row = ManifestRow(
        *("f", "T2M", "", datetime(2026, 6, 8), 0, "", 0, 0, "", "somewhere", "absent"),
        reason="is cut off",
    )
    excluded = replace(row, lead=1, status="excluded", reason="")
    path = tmp_path / "archive" / "hrrr" / "20260608" / "manifest.csv"
    path.parent.mkdir(parents=True)
    write_manifest(path, [row, replace(row, variable="CAPE"), excluded])
    assert completeness([path]).absent == [
        "hrrr T2M, CAPE, 2026-06-08 00 UTC + 0 h: absent (is cut off)",
        "hrrr T2M, 2026-06-08 00 UTC + 1 h: excluded",
    ]


def test_without_manifests_there_are_no_sources() -> None:
    assert completeness([]).rows == []


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("a,b\n1,2\n")
    with pytest.raises(StormdrawError, match=r"manifest\.csv"):
        completeness([tmp_path / "manifest.csv"])
