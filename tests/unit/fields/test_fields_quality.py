from datetime import datetime

import numpy as np
import pytest

from stormdraw.errors import StormdrawError
from stormdraw.fields.quality import align_floor, check, read_findings, write_findings

VALID = datetime(2018, 7, 22, 10)


def dew_points():
    field = np.full((3, 4), 285.0, np.float32)
    field[1, 2] = 209.4  # the table's lowest is 213 K
    return field


def test_kept_as_they_are():
    field, (finding,) = check(dew_points(), "D2M", VALID, "keep")
    assert np.array_equal(field, dew_points())
    assert (finding.suspicious, finding.points) == (1, 12)
    assert finding.lowest == pytest.approx(209.4, abs=1e-4)
    assert (finding.highest, finding.lower, finding.upper) == (285.0, 213.0, 313.0)


def test_masked():
    field, (finding,) = check(dew_points(), "D2M", VALID, "mask")
    assert np.isnan(field[1, 2])
    assert np.isfinite(field).sum() == 11
    assert finding.treatment == "mask"


def test_bounds_are_widened_by_what_packing_rounds_to():
    field = np.array([[-10.05, 80.05]], np.float32)  # packed to a tenth
    assert check(field, "REFC", VALID, "mask") == (field, [])
    assert check(field - 0.1, "REFC", VALID, "mask")[1][0].suspicious == 1


def test_what_packing_rounds_below_the_floor_is_raised_but_not_told():
    field = np.array([[-10.05, np.nan, 30.0]], np.float32)
    raised, findings = align_floor(field, "REFC", VALID)
    assert np.array_equal(raised, np.array([[-10.0, np.nan, 30.0]], np.float32), equal_nan=True)
    assert findings == []
    field[0, 2] = -20.0
    raised, (finding,) = align_floor(field, "REFC", VALID)
    assert np.array_equal(raised, np.array([[-10.0, np.nan, -10.0]], np.float32), equal_nan=True)
    assert (finding.suspicious, finding.points, finding.treatment) == (1, 3, "floor")


def test_missing_points_are_not_suspicious():
    field = np.array([[np.nan, 285.0]], np.float32)
    assert check(field, "D2M", VALID, "mask")[1] == []
    field[0, 1] = 400.0
    assert check(field, "D2M", VALID, "keep")[1][0].suspicious == 1


def test_the_table_comes_back(tmp_path):
    found = [*check(dew_points(), "D2M", VALID, "keep", "nam_00")[1]]
    write_findings(found, tmp_path / "a.csv")
    write_findings([], tmp_path / "b.csv")
    table = read_findings([tmp_path / "a.csv", tmp_path / "b.csv"])
    (row,) = table.to_dict("records")
    lowest = row.pop("lowest")
    assert lowest == pytest.approx(209.4, rel=1e-5)
    expected = {**vars(found[0]), "valid": "2018072210"}
    assert row == {name: value for name, value in expected.items() if name != "lowest"}
    assert len(read_findings([tmp_path / "b.csv"])) == 0


def test_another_table_is_an_error(tmp_path):
    (tmp_path / "a.csv").write_text("file,variable\n")
    with pytest.raises(StormdrawError, match=r"a\.csv: not a table of suspicious values"):
        read_findings([tmp_path / "a.csv"])
