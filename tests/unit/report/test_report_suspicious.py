from datetime import datetime

import numpy as np

from stormdraw.fields.quality import check, write_findings
from stormdraw.report.suspicious import suspicious_variables


def test_counts_are_by_source_and_variable(tmp_path):
    dew_points = np.array([[285.0, 209.4], [285.0, 400.0]], np.float32)
    for day in (1, 2):
        _, found = check(dew_points, "D2M", datetime(2026, 6, day), "mask")
        write_findings(found, tmp_path / "hrrr" / f"{day}.csv")
    write_findings([], tmp_path / "href" / "1.csv")
    (row,) = suspicious_variables(sorted(tmp_path.rglob("*.csv")))
    assert (row.source, row.variable, row.points, row.fields) == ("hrrr", "D2M", 4, 2)
    assert (row.extremes, row.bounds, row.treatment) == ("209, 400", "213 to 313 K", "masked")


def test_no_table_is_not_the_same_as_no_finding(tmp_path):
    write_findings([], tmp_path / "hrrr" / "1.csv")
    assert suspicious_variables([]) is None
    assert suspicious_variables([tmp_path / "hrrr" / "1.csv"]) == []
