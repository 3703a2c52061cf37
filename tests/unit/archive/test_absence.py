"""Files that no source has: an error, left out, or replaced by an older run's later lead."""

import re
from datetime import datetime

import pytest
from archive_messages import variable_message
from archive_mirror import (
    DAY,
    STATE,
    absent_times,
    reference,
    settings,
    write_analyses,
    write_file,
    write_members,
)
from message_extents import find_messages

from stormdraw.archive.absence import alternatives, require_members
from stormdraw.archive.audit import audit, read_audit, require_enough, write_audit
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.wanted import requests
from stormdraw.errors import StormdrawError
from stormdraw.messages import opened, read_messages

import eccodes  # isort: skip  (after stormdraw)

ONE = "hrrr.20260601/conus/hrrr.t01z.wrfsfcf00.grib2"
OLDER = "hrrr.20260601/conus/hrrr.t00z.wrfsfcf01.grib2"
EVEN_OLDER = "hrrr.20260531/conus/hrrr.t23z.wrfsfcf02.grib2"


@pytest.fixture
def mirror(tmp_path):
    """A mirror without the analysis of 01 UTC."""
    folder = tmp_path / "mirror"
    write_analyses(folder)
    (folder / ONE).unlink()
    return folder


def fetch(tmp_path, mirror, missing, source="hrrr", run=None):
    archive = {"source": "simulated", "missing": missing}
    manifest = tmp_path / "archive" / source / "20260601" / "manifest.csv"
    fetch_day(run or settings(archive=archive), source, "20260601", manifest, mirror)
    return manifest


def test_by_default_it_is_an_error(tmp_path, mirror):
    with pytest.raises(StormdrawError, match="2026-06-01 01 UTC \\+ 0 h: not in the archive"):
        fetch(tmp_path, mirror, "fail")


def test_skipped(tmp_path, mirror):
    manifest = fetch(tmp_path, mirror, "skip")
    table = read_manifest(manifest)
    assert absent_times(table) == [datetime(2026, 6, 1, 1)]
    assert (table["status"] == "ok").sum() == 3 * len(STATE)
    assert len(table) == 4 * len(STATE)


def test_replaced_by_the_newest_run_that_is_there(tmp_path, mirror):
    write_file(mirror / EVEN_OLDER, datetime(2026, 5, 31, 23), 2)
    manifest = fetch(tmp_path, mirror, "older_run")
    rows = read_manifest(manifest).query("status == 'older_run'")
    assert set(rows["init"]) == {datetime(2026, 5, 31, 23)}
    assert set(rows["lead"]) == {2}
    write_file(mirror / OLDER, DAY, 1)
    rows = read_manifest(fetch(tmp_path, mirror, "older_run")).query("status == 'older_run'")
    assert set(rows["init"]) == {DAY}
    assert rows["file"].unique().tolist() == [OLDER.replace("/conus", "")]
    assert absent_times(read_manifest(manifest)) == []


def test_without_an_older_run_it_is_skipped(tmp_path, mirror):
    table = read_manifest(fetch(tmp_path, mirror, "older_run"))
    assert absent_times(table) == [datetime(2026, 6, 1, 1)]


def test_six_hours_back_at_most():
    run = settings(archive={"missing": "older_run"})
    (file, *_) = requests(run, "hrrr", "20260601")
    found = [(older.init.hour, older.lead) for older in alternatives(run, "hrrr", file)]
    assert found == [(23, 1), (22, 2), (21, 3), (20, 4), (19, 5), (18, 6)]
    assert list(alternatives(settings(), "hrrr", file)) == []


def test_the_terrain_of_another_hour_is_as_good(tmp_path, mirror):
    (mirror / ONE.replace("t01z", "t00z")).unlink()
    six = ONE.replace("t01z", "t06z")
    write_file(mirror / six, DAY.replace(hour=6), 0, names=(*STATE, "OROG"))
    table = read_manifest(fetch(tmp_path, mirror, "skip", "static"))
    assert table["init"].tolist() == [DAY.replace(hour=6)]


def test_too_few_members_are_no_error_if_cases_may_be_skipped(tmp_path):
    mirror = tmp_path / "mirror"
    write_members(mirror)
    (mirror / "nam.20260601/nam.t06z.conusnest.hiresf01.tm00.grib2").unlink()
    archive = {"source": "simulated", "reference": "href", "missing": "skip"}
    run = reference(minimum_members=10, archive=archive)
    table = read_manifest(fetch(tmp_path, mirror, "skip", "href", run))
    assert set(table.query("status == 'absent'")["member"]) == {"nam_nest_00h"}


def test_the_audit_has_a_row_for_each_wanted_file(tmp_path, mirror):
    write_file(mirror / OLDER, DAY, 1)
    (mirror / ONE.replace("t01z", "t07z")).unlink()
    # 07 UTC could be forecast by older runs, too, but none is there.
    manifest = fetch(tmp_path, mirror, "older_run")
    write_audit(audit({"hrrr": [manifest]}, lambda *_: 0), tmp_path / "audit.csv")
    table = read_audit(tmp_path / "audit.csv")
    assert table["valid"].dt.hour.tolist() == [0, 1, 6, 7]
    assert table["status"].tolist() == ["ok", "older_run", "ok", "absent"]
    assert table["init"].tolist() == table["valid"].tolist()
    assert table["replaced_by"].tolist() == ["", OLDER.replace("/conus", ""), "", ""]
    assert table["bytes"].tolist()[3] == 0
    for limit, enough in ((0.25, True), (0.24, False)):
        run = settings(archive={"missing": "skip", "missing_limit": limit})
        if enough:
            require_enough(table, run)
            continue
        with pytest.raises(
            StormdrawError,
            match=r"1 of 4 files of hrrr .*, more than 24\.0%: 2026-06-01 07 UTC "
            r"\(not in the archive\);",
        ):
            require_enough(table, run)


def test_a_file_that_is_no_audit(tmp_path):
    (tmp_path / "audit.csv").write_text("not,an,audit\n")
    with pytest.raises(StormdrawError, match="not an audit"):
        read_audit(tmp_path / "audit.csv")


def spoil_one_point(path):
    """Take the value of CAPE at one point of 20 away."""
    contents = []
    for content in read_messages(path):
        with opened(content) as handle:
            if eccodes.codes_get(handle, "shortName") == "cape":
                values = eccodes.codes_get_values(handle)
                eccodes.codes_set(handle, "bitmapPresent", 1)
                eccodes.codes_set(handle, "missingValue", 9999.0)
                values[7] = 9999.0
                eccodes.codes_set_values(handle, values)
            contents.append(eccodes.codes_get_message(handle))
    path.write_bytes(b"".join(contents))


FAULTS = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "empty": lambda path: path.write_bytes(b""),
    "no message": lambda path: path.write_bytes(b"<html>not found</html>"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "of another time": lambda path: write_file(path, DAY.replace(hour=2), 0),
    "without CAPE": lambda path: write_file(path, DAY.replace(hour=1), 0, names=STATE[:5]),
    "a mean": lambda path: write_file(path, DAY.replace(hour=1), 0, derived=0),
    "with a missing point": spoil_one_point,
}
REASONS = {
    "cut off": "the file is cut off or damaged there",
    "empty": "the file is empty",
    "no message": "holds no GRIB message",
    "a folder": "cannot be read: Is a directory",
    "of another time": "but its header says 2026-06-01 02 UTC + 0 h",
    "without CAPE": "has no CAPE, CIN at 0 h",
    "a mean": "its message is the mean of an ensemble, expected a plain forecast",
    "with a missing point": "CAPE is missing at 1 of 20 points",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_with_a_fault_is_as_good_as_absent(tmp_path, fault):
    mirror = tmp_path / "mirror"
    write_analyses(mirror)
    FAULTS[fault](mirror / ONE)
    with pytest.raises(StormdrawError, match=re.escape(REASONS[fault])):
        fetch(tmp_path, mirror, "fail")
    manifest = fetch(tmp_path, mirror, "skip")
    table = read_manifest(manifest)
    assert absent_times(table) == [datetime(2026, 6, 1, 1)]
    absent = table[table["status"] == "absent"]
    assert absent["reason"].str.contains(REASONS[fault], regex=False).all()
    assert set(absent["origin"]) == {str(mirror / ONE)}
    (row,) = (
        audit({"hrrr": [manifest]}, lambda *_: 0).query("status == 'absent'").to_dict("records")
    )
    assert row["lacks"].split() == absent["variable"].tolist()
    assert REASONS[fault] in row["reason"]
    write_file(mirror / OLDER, DAY, 1)
    table = read_manifest(fetch(tmp_path, mirror, "older_run"))
    replaced = table[table["status"] == "older_run"]
    assert replaced["variable"].tolist() == list(STATE)
    assert replaced["reason"].str.contains(REASONS[fault], regex=False).all()
    assert absent_times(table) == []
    stored = {path.name for path in (tmp_path / "archive").rglob("*.grib2")}
    assert "hrrr.t01z.wrfsfcf00.grib2" not in stored


def test_a_place_that_has_the_analysis_whole_steps_in(tmp_path):
    """The terrain is asked for in the same way."""
    mirror = tmp_path / "mirror"
    write_analyses(mirror)
    flat = mirror / ONE.replace("conus/", "")
    flat.write_bytes((mirror / ONE).read_bytes())
    spoil_one_point(mirror / ONE)
    table = read_manifest(fetch(tmp_path, mirror, "fail"))
    assert set(table["status"]) == {"ok"}
    assert set(table[table["init"].dt.hour == 1]["origin"]) == {str(flat)}
    (terrain,) = requests(settings(), "static", "20260601")
    assert terrain.whole


def test_a_forecast_may_have_missing_points(tmp_path):
    mirror = tmp_path / "mirror"
    write_members(mirror)
    spoil_one_point(mirror / "nam.20260601/nam.t06z.conusnest.hiresf01.tm00.grib2")
    table = read_manifest(fetch(tmp_path, mirror, "fail", "href", reference(minimum_members=10)))
    assert set(table["status"]) == {"ok"}


def test_an_older_run_with_a_fault_is_passed_over(tmp_path, mirror):
    write_file(mirror / OLDER, DAY, 1, names=STATE[:5])
    write_file(mirror / EVEN_OLDER, datetime(2026, 5, 31, 23), 2)
    table = read_manifest(fetch(tmp_path, mirror, "older_run"))
    assert set(table.query("status == 'older_run'")["lead"]) == {2}


def test_variables_before_the_place_where_a_file_is_cut_off_are_there(tmp_path):
    """As with byte ranges: what is whole is usable. The hour is left out all the same."""
    mirror = tmp_path / "mirror"
    write_analyses(mirror)
    # After a decoy and two of what is wanted.
    (_, _, _, fourth, *_) = find_messages(mirror / ONE)
    (mirror / ONE).write_bytes((mirror / ONE).read_bytes()[: fourth.offset + 100])
    table = read_manifest(fetch(tmp_path, mirror, "skip"))
    one = table[table["init"] == datetime(2026, 6, 1, 1)]
    assert one["status"].tolist() == ["ok"] * 2 + ["absent"] * 5


@pytest.mark.parametrize("missing", ["fail", "skip"])
def test_a_member_without_a_variable_is_absent_for_that_variable(tmp_path, missing, caplog):
    mirror = tmp_path / "mirror"
    write_members(mirror)
    nam = mirror / "nam.20260601/nam.t06z.conusnest.hiresf01.tm00.grib2"
    write_file(nam, DAY.replace(hour=6), 1, names=[name for name in STATE if name != "CAPE"])
    archive = {"source": "simulated", "reference": "href", "missing": missing}
    table = read_manifest(
        fetch(tmp_path, mirror, missing, "href", reference(minimum_members=9, archive=archive))
    )
    lacking = table[table["status"] != "ok"]
    assert list(zip(lacking["member"], lacking["variable"], lacking["reason"], strict=True)) == [
        ("nam_nest_00h", "CAPE", "has no CAPE at 1 h")
    ]
    run = reference(minimum_members=10, archive=archive)
    told = r"1 h: 9 of 10 members have CAPE and .* is 10; absent: nam_nest_00h"
    if missing == "fail":
        with pytest.raises(StormdrawError, match=told):
            fetch(tmp_path, mirror, missing, "href", run)
    else:
        fetch(tmp_path, mirror, missing, "href", run)
        assert re.search(f"{told}; no system is scored there", caplog.text)


def test_a_lagged_ensemble_needs_one_of_the_runs_that_reach_the_lead():
    """From 05 UTC HRRR runs for 18 h, which is 17 h after the case."""
    periods = {
        "training": {"start": "2026-05-01T00:00", "end": "2026-05-01T01:00"},
        "test": {"start": "2026-06-01T06:00", "end": "2026-06-02T00:00"},
    }
    system = {"name": "lagged", "method": "baseline", "kind": "lagged", "ages": [0, 1, 6]}
    run = settings(ensembles={"systems": [system]}, periods=periods, leads=[18])
    with pytest.raises(StormdrawError, match="or remove the system") as error:
        require_members(run, "hrrr_lagged", "20260601", [])
    assert "06 UTC + 18 h: 0 of 2 members are there and one is needed;" in str(error.value)
    assert "absent: hrrr_00h, hrrr_06h;" in str(error.value)


def test_a_day_is_asked_for_its_own_cases_only(tmp_path):
    write_members(tmp_path / "mirror")
    periods = {
        "training": {"start": "2026-05-01T00:00", "end": "2026-05-01T01:00"},
        "test": {"start": "2026-06-01T06:00", "end": "2026-06-02T07:00"},
    }
    run = reference(minimum_members=10, periods=periods, cases={"every_hours": 24})
    table = read_manifest(fetch(tmp_path, tmp_path / "mirror", "fail", "href", run))
    assert set(table["status"]) == {"ok"}


def test_one_empty_file_of_ten_members_is_as_one_that_is_absent(tmp_path):
    mirror = tmp_path / "mirror"
    write_members(mirror)
    (mirror / "nam.20260601/nam.t06z.conusnest.hiresf01.tm00.grib2").write_bytes(b"")
    table = read_manifest(fetch(tmp_path, mirror, "fail", "href", reference(minimum_members=9)))
    absent = table[table["status"] == "absent"]
    assert set(absent["member"]) == {"nam_nest_00h"}
    assert set(absent["reason"]) == {"the file is empty"}


EAST = (("longitudeOfFirstGridPointInDegrees", 262.6),)


def write_moved(path, hour):
    """The analysis of an hour on a grid some kilometres to the east."""
    init = DAY.replace(hour=hour)
    content = [variable_message(name, init, 0, keys=EAST) for name in STATE]
    path.write_bytes(b"".join(content))


def test_the_hour_on_another_grid_than_the_rest_of_the_day_is_absent(tmp_path):
    """The first of the day as well as any other."""
    mirror = tmp_path / "mirror"
    write_analyses(mirror)
    write_moved(mirror / ONE.replace("t01z", "t00z"), 0)
    with pytest.raises(StormdrawError, match=r"t00z.*: its grid is not that of the day's other"):
        fetch(tmp_path, mirror, "fail")
    table = read_manifest(fetch(tmp_path, mirror, "skip"))
    assert absent_times(table) == [DAY]
    assert set(table.query("status == 'absent'")["reason"]) == {
        "its grid is not that of the day's other files"
    }
    assert not (tmp_path / "archive/hrrr/20260601/hrrr.20260601/hrrr.t00z.wrfsfcf00.grib2").exists()


def test_a_place_that_has_the_hour_on_the_common_grid_steps_in(tmp_path):
    mirror = tmp_path / "mirror"
    write_analyses(mirror)
    flat = mirror / ONE.replace("conus/", "")
    flat.write_bytes((mirror / ONE).read_bytes())
    write_moved(mirror / ONE, 1)
    table = read_manifest(fetch(tmp_path, mirror, "fail"))
    assert set(table["status"]) == {"ok"}
    assert set(table[table["init"].dt.hour == 1]["origin"]) == {str(flat)}


def test_of_two_places_with_a_part_the_fuller_is_taken(tmp_path):
    mirror = tmp_path / "mirror"
    write_analyses(mirror)
    flat = mirror / ONE.replace("conus/", "")
    write_file(flat, DAY.replace(hour=1), 0, names=STATE[:6])
    write_file(mirror / ONE, DAY.replace(hour=1), 0, names=STATE[:4])
    table = read_manifest(fetch(tmp_path, mirror, "skip"))
    one = table[table["init"].dt.hour == 1]
    # U10 without V10 is of no use.
    assert one["status"].tolist() == ["ok"] * 6 + ["absent"]
    assert set(one["origin"]) == {str(flat)}


def test_excluded_hours_are_not_looked_for(tmp_path):
    mirror = tmp_path / "mirror"
    write_analyses(mirror)
    (mirror / ONE).unlink()
    archive = {"source": "simulated", "exclude": ["2026-06-01T01:00", "2026-06-01T07:00+00:00"]}
    run = settings(archive=archive)
    manifest = fetch(tmp_path, mirror, "fail", run=run)
    table = read_manifest(manifest)
    assert absent_times(table) == [datetime(2026, 6, 1, 1), datetime(2026, 6, 1, 7)]
    assert set(table.query("status == 'excluded'")["reason"]) == {"archive.exclude names it"}
    assert set(table.query("status != 'excluded'")["status"]) == {"ok"}
    assert not list((tmp_path / "archive").rglob("hrrr.t07z*"))
    listed = audit({"hrrr": [manifest]}, lambda *_: 0)
    assert listed["status"].tolist() == ["ok", "excluded", "ok", "excluded"]
    # They do not count as missing.
    require_enough(listed, settings(archive=archive | {"missing_limit": 0.0}))
    assert run.archive.hours_may_be_absent()
    assert not settings().archive.hours_may_be_absent()


def test_terrain_is_not_taken_from_an_excluded_hour(tmp_path):
    archive = {"source": "simulated", "exclude": ["2026-06-01T00:00"]}
    (request,) = requests(settings(archive=archive), "static", "20260601")
    assert request.init == datetime(2026, 6, 1, 1)
    assert not request.excluded


def test_the_truth_of_an_excluded_hour_is_not_looked_for():
    archive = {"source": ["aws"], "truth": "urma", "exclude": ["2026-06-01T07:00"]}
    assert [file.excluded for file in requests(settings(archive=archive), "truth", "20260601")] == [
        True
    ]


def test_an_excluded_time_must_be_on_the_hour():
    with pytest.raises(StormdrawError, match=r"archive\.exclude\.0: .* not on the hour"):
        settings(archive={"exclude": ["2026-06-01T00:30"]})
