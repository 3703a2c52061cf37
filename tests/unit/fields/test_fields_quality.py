from datetime import datetime, timedelta

import netCDF4
import numpy as np
import pytest

from stormdraw.errors import StormdrawError
from stormdraw.fields.quality import (
    align_floor,
    check,
    note_incomplete,
    note_suspicious,
    read_findings,
    write_findings,
)
from stormdraw.times import format_init
from stormdraw.variables import use_table

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


def test_one_point_beyond_either_bound_is_found_and_one_on_it_is_not():
    """Bounds of 213 and 313 K, and a tenth that packing rounds to."""
    on_them = np.array([[212.9, 285.0, 313.1]], np.float32)
    assert check(on_them, "D2M", VALID, "mask")[1] == []
    for extreme in (209.4, 313.3):
        field = np.append(on_them, [[np.float32(extreme)]], axis=1)
        masked, (finding,) = check(field, "D2M", VALID, "mask")
        assert np.isnan(masked).tolist() == [[False, False, False, True]]
        assert finding.suspicious == 1


def test_what_lies_below_the_floor_is_raised_for_decibels_alone():
    echo, findings = align_floor(np.array([[-20.0, 30.0]], np.float32), "REFC", VALID)
    assert echo.tolist() == [[-10.0, 30.0]]
    assert [finding.suspicious for finding in findings] == [1]
    energy = np.array([[-5.0, 800.0]], np.float32)
    assert align_floor(energy, "CAPE", VALID) == (energy, [])


def test_what_packing_rounds_below_the_floor_is_raised_but_not_told():
    field = np.array([[-10.05, np.nan, 30.0]], np.float32)
    raised, findings = align_floor(field, "REFC", VALID)
    assert np.array_equal(raised, np.array([[-10.0, np.nan, 30.0]], np.float32), equal_nan=True)
    assert findings == []
    field[0, 2] = -20.0
    raised, (finding,) = align_floor(field, "REFC", VALID)
    assert np.array_equal(raised, np.array([[-10.0, np.nan, -10.0]], np.float32), equal_nan=True)
    assert (finding.suspicious, finding.points, finding.treatment) == (1, 3, "floor")


def test_no_echo_of_a_model_below_the_floor_is_raised_with_all_beneath_it():
    """RRFS's -20 dBZ, and an echo of -15 dBZ, where the floor is HRRR's -10 dBZ."""
    field = np.array([[-20.0, -15.0, 30.0]], np.float32)
    raised, (finding,) = align_floor(field, "REFC", VALID, no_echo=-20.0)
    assert raised.tolist() == [[-10.0, -10.0, 30.0]]
    assert finding.suspicious == 2


def test_no_echo_of_a_model_above_the_floor_is_lowered_with_what_packing_rounds_to():
    """HRRR's -10 dBZ, packed to a tenth, where the floor is RRFS's -20 dBZ."""
    use_table({"REFC": {"lower": -20, "floor": -20}})
    try:
        field = np.array([[-10.0, -9.96, -9.9, 30.0]], np.float32)
        lowered, findings = align_floor(field, "REFC", VALID, no_echo=-10.0)
    finally:
        use_table(None)
    assert lowered.tolist() == [[-20.0, -20.0, np.float32(-9.9), 30.0]]
    assert findings == []


def test_missing_points_are_not_suspicious():
    field = np.array([[np.nan, 285.0]], np.float32)
    assert check(field, "D2M", VALID, "mask")[1] == []
    field[0, 1] = 400.0
    assert check(field, "D2M", VALID, "keep")[1][0].suspicious == 1


@pytest.fixture
def written():
    """Two variables of a file that is only in memory."""
    with netCDF4.Dataset("a.nc", "w", diskless=True) as dataset:
        yield {name: dataset.createVariable(name, "f4", ()) for name in ("D2M", "REFC")}


def test_findings_are_counted_by_variable_and_said_where_there_are_any(written, caplog):
    findings = check(dew_points(), "D2M", VALID, "mask")[1] * 2
    findings += align_floor(np.array([[-20.0, -15.0, 30.0]], np.float32), "REFC", VALID)[1]
    note_suspicious(written, findings, "mask")
    counts = {
        name: (field.suspicious_points, field.raised_points) for name, field in written.items()
    }
    assert counts == {"D2M": (2, 0), "REFC": (0, 2)}
    assert [record.getMessage() for record in caplog.records] == [
        "D2M: 2 points outside 213 to 313 K in 2 fields, masked",
        "REFC: 2 points outside -10 to 80 dBZ in 1 fields, raised to the floor",
    ]


def test_incomplete_times_are_named_in_order_by_variable_and_of_the_file(written):
    times = {hour: format_init(VALID + timedelta(hours=hour)) for hour in (14, 3, 0)}
    note_incomplete(written, {"D2M": {times[14], times[3]}, "REFC": {times[0], times[14]}})
    assert written["D2M"].incomplete_times == "2018072213 2018072300"
    assert written["REFC"].incomplete_times == "2018072210 2018072300"
    assert written["D2M"].group().incomplete_times == "2018072210 2018072213 2018072300"
    note_incomplete(written, {"D2M": {times[3]}})
    assert written["REFC"].incomplete_times == ""


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
