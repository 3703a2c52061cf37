"""The manifest: written, read back, and what is not one."""

from datetime import datetime

import pytest

from stormdraw.archive.manifest import COLUMNS, ManifestRow, read_manifest, write_manifest
from stormdraw.errors import StormdrawError

ROWS = [
    ManifestRow(
        file="hrrr.20260601/hrrr.t00z.wrfsfcf00.grib2",
        variable="T2M",
        member="",
        init=datetime(2026, 6, 1, 0),
        lead=0,
        statistic="",
        offset=0,
        bytes=190,
        sha256="ab" * 32,
        origin="https://example.org/a,b.grib2",
        status="ok",
    ),
    ManifestRow(
        file="nam.20260531/nam.t18z.conusnest.hiresf07.tm00.grib2",
        variable="CIN",
        member="nam_nest_06h",
        init=datetime(2026, 5, 31, 18),
        lead=7,
        statistic="mean",
        offset=0,
        bytes=0,
        sha256="",
        origin="",
        status="absent",
        reason="cut off, or empty",
    ),
]


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "new" / "manifest.csv"
    write_manifest(path, ROWS)
    table = read_manifest(path)
    assert tuple(table.columns) == COLUMNS
    for row, (_, read) in zip(ROWS, table.iterrows(), strict=True):
        assert {name: read[name] for name in COLUMNS} == vars(row)
    assert [entry.name for entry in path.parent.iterdir()] == ["manifest.csv"]


def test_columns_and_times_as_agreed(tmp_path):
    write_manifest(tmp_path / "manifest.csv", ROWS)
    head, first, _ = (tmp_path / "manifest.csv").read_text().splitlines()
    assert head == (
        "file,variable,member,init,lead,statistic,offset,bytes,sha256,origin,status,reason,"
        "seconds_after"
    )
    assert first.split(",")[1:6] == ["T2M", "", "2026060100", "0", ""]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "not a manifest"),
        ("file,variable\na,T2M\n", "no column member, init, lead"),
        (",".join(COLUMNS) + "\na,T2M,,20260601,0,,0,1,x,y,ok\n", "not a manifest"),
        (",".join(COLUMNS) + "\na,T2M,,2026060100,zero,,0,1,x,y,ok\n", "not a manifest"),
    ],
)
def test_what_is_not_a_manifest_is_said_in_one_line(tmp_path, content, complaint):
    path = tmp_path / "manifest.csv"
    path.write_text(content)
    with pytest.raises(StormdrawError, match=rf"manifest\.csv: .*{complaint}") as caught:
        read_manifest(path)
    assert "\n" not in str(caught.value)


def test_no_manifest_at_all(tmp_path):
    with pytest.raises(StormdrawError, match="no such file"):
        read_manifest(tmp_path / "manifest.csv")
