from datetime import datetime
from pathlib import Path

import numpy as np
from report_page import Page, write_page
from report_run import Run

from stormdraw.fields.quality import align_floor, check, write_findings
from stormdraw.report.suspicious import suspicious_values
from stormdraw.report.wording import MINUS


def test_counts_are_by_source_and_variable(tmp_path):
    dew_points = np.array([[285.0, 209.4], [285.0, 400.0]], np.float32)
    for day in (1, 2):
        _, found = check(dew_points, "D2M", datetime(2026, 6, day), "mask")
        write_findings(found, tmp_path / "hrrr" / f"{day}.csv")
    write_findings([], tmp_path / "href" / "1.csv")
    (row,) = suspicious_values(sorted(tmp_path.rglob("*.csv")))
    assert row == ("hrrr", "D2M", "4", "2", "209, 400", "213 to 313 K", "masked")


def test_values_raised_to_the_floor_are_counted_separately(tmp_path):
    """Of RRFS, no echo is -20 dBZ; 95 dBZ cannot be."""
    valid = datetime(2026, 6, 1)
    _, floors = align_floor(np.array([[-20.0, -20.0, 5.0]], np.float32), "REFC", valid, "rrfs")
    raised = np.array([[-10.0, -10.0, 95.0]], np.float32)
    write_findings([*floors, *check(raised, "REFC", valid, "keep", "rrfs")[1]], tmp_path / "a.csv")
    floor, kept = suspicious_values([tmp_path / "a.csv"])
    assert (floor[2], floor[4], floor[6]) == ("2", MINUS + "20.0", "raised to the floor")
    assert (kept[2], kept[4], kept[6]) == ("1", "95.0", "kept")


def test_no_tables_give_none_and_no_findings_an_empty_list(tmp_path):
    write_findings([], tmp_path / "hrrr" / "1.csv")
    assert suspicious_values([]) is None
    assert suspicious_values([tmp_path / "hrrr" / "1.csv"]) == []


def test_the_page_lists_suspicious_values_and_explains_masked_ones(demo_run: Run, tmp_path: Path):
    few = {"stations": {}, "maps": {}}
    for treatment in ("mask", "keep"):
        valid = datetime(2026, 6, 1)
        _, findings = check(np.array([[285.0, 400.0]], np.float32), "D2M", valid, treatment)
        table = tmp_path / treatment / "hrrr" / "1.csv"
        write_findings(findings, table)
        text = Page(write_page(demo_run, tmp_path / "page.html", quality=[table], **few)).text
        assert "hrrr D2M 1 1 400 213 to 313 K" in text
        assert ("A masked value is missing" in text) == (treatment == "mask")
