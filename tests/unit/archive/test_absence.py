"""Files that no source has: an error, left out, or replaced by an older run's later lead."""

from datetime import datetime

import pytest
from archive_mirror import (
    DAY,
    STATE,
    reference,
    settings,
    write_analyses,
    write_file,
    write_members,
)

from stormdraw.archive.absence import alternatives
from stormdraw.archive.audit import audit, read_audit, require_enough, write_audit
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import absent_times, present, read_manifest
from stormdraw.archive.wanted import requests
from stormdraw.errors import StormdrawError

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
    assert len(present(table)) == 3 * len(STATE)
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
    write_audit(audit({"hrrr": [manifest]}, 0), tmp_path / "audit.csv")
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
