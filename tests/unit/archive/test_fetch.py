"""A day fetched from a mirror folder: what is stored, listed and refused."""

import hashlib
import shutil
from datetime import datetime

import pytest
from archive_inventory import write_inventory
from archive_messages import pack_together, variable_message
from archive_mirror import (
    DAY,
    MEMBERS,
    STATE,
    reference,
    settings,
    write_analyses,
    write_file,
    write_members,
)
from message_extents import find_messages

from stormdraw.archive import fetch as fetching
from stormdraw.archive.download import download
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.request import FileRequest
from stormdraw.archive.session import PatientSession
from stormdraw.archive.sources import Folder
from stormdraw.errors import StormdrawError
from stormdraw.messages import opened, read_header, read_messages
from stormdraw.settings import load_settings, load_yaml

NAM = "nam.20260601/nam.t06z.conusnest.hiresf01.tm00.grib2"
F00 = "hrrr.20260601/conus/hrrr.t{:02d}z.wrfsfcf00.grib2"


@pytest.fixture
def mirror(tmp_path):
    folder = tmp_path / "mirror"
    write_analyses(folder)
    return folder


@pytest.fixture
def manifest(tmp_path):
    return tmp_path / "archive" / "hrrr" / "20260601" / "manifest.csv"


def fetch(manifest, mirror, source="hrrr", run=None, **options):
    fetch_day(run or settings(), source, "20260601", manifest, mirror=mirror, **options)
    return read_manifest(manifest)


def test_every_message_is_listed_and_nothing_else_is_stored(manifest, mirror):
    table = fetch(manifest, mirror)
    assert len(table) == 4 * len(STATE)
    assert table["variable"].tolist() == list(STATE) * 4
    assert table["init"].dt.hour.unique().tolist() == [0, 1, 6, 7]
    assert set(table["status"]) == {"ok"}
    assert set(table["lead"]) == {0}
    for file, rows in table.groupby("file"):
        content = (manifest.parent / file).read_bytes()
        assert rows["bytes"].sum() == len(content)
        for _, row in rows.iterrows():
            message = content[row["offset"] : row["offset"] + row["bytes"]]
            assert hashlib.sha256(message).hexdigest() == row["sha256"]
            with opened(message) as handle:
                header = read_header(handle)
            assert (header.variable.name, header.init) == (row["variable"], row["init"])
    everything = {path for path in manifest.parent.rglob("*") if path.is_file()}
    assert everything == {manifest} | {manifest.parent / file for file in table["file"]}


def test_two_files_are_never_stored_under_one_name(manifest, mirror, monkeypatch):
    """The later one would pass for both."""
    monkeypatch.setattr(fetching, "stored_path", lambda file: f"hrrr.{file.init.hour // 6}.grib2")
    with pytest.raises(StormdrawError, match=r"01 UTC \+ 0 h and hrrr .*00 UTC \+ 0 h are both"):
        fetch(manifest, mirror)
    assert not list(manifest.parent.rglob("*.grib2"))


def test_messages_are_those_of_the_mirror_byte_for_byte(manifest, mirror):
    table = fetch(manifest, mirror)
    first = table.iloc[0]
    source = mirror / F00.format(0)
    assert first["origin"] == str(source)
    assert list(read_messages(manifest.parent / first["file"])) == list(read_messages(source))[1:-1]


def test_the_same_without_inventories_and_without_the_domain_folder(tmp_path, manifest, mirror):
    with_inventories = fetch(manifest, mirror)
    bare = tmp_path / "bare"
    (bare / "hrrr.20260601").mkdir(parents=True)
    for path in mirror.rglob("*.grib2"):
        shutil.copy(path, bare / "hrrr.20260601" / path.name)
    before = sorted(bare.rglob("*"))
    made = fetch(tmp_path / "other" / "manifest.csv", bare)
    assert made.drop(columns="origin").equals(with_inventories.drop(columns="origin"))
    assert sorted(bare.rglob("*")) == before


def test_nothing_is_written_into_a_mirror(manifest, mirror):
    """Not for a moment either: a file that comes and goes leaves its folder another time."""
    for path in sorted(mirror.rglob("*.idx")):
        path.unlink()

    def state():
        return {path: path.stat().st_mtime_ns for path in (mirror, *mirror.rglob("*"))}

    before = state()
    assert len(fetch(manifest, mirror)) == 28
    assert state() == before


def test_a_changed_mirror_is_copied_anew(manifest, mirror):
    before = fetch(manifest, mirror)
    path = mirror / F00.format(0)
    changed = [variable_message(name, DAY, 0, value=99.0) for name in STATE]
    path.write_bytes(b"".join(changed))
    write_inventory(path)
    after = fetch(manifest, mirror)
    assert after["sha256"][0] == hashlib.sha256(changed[0]).hexdigest()
    assert after["sha256"][0] != before["sha256"][0]
    assert after[7:].equals(before[7:])


def test_static_fields(tmp_path, mirror):
    path = write_file(mirror / F00.format(0), DAY, 0, names=(*STATE, "OROG"))
    table = fetch(tmp_path / "static" / "manifest.csv", mirror, source="static")
    assert table["variable"].tolist() == ["OROG"]
    assert table["origin"].tolist() == [str(path)]


def test_the_last_message_of_a_file_is_fetched_whole(manifest, mirror):
    """Herbie alone would end the range before it, since an inventory does not say where it ends."""
    path = mirror / F00.format(1)
    wanted = list(read_messages(path))[1:-1]
    path.write_bytes(b"".join(wanted))
    write_inventory(path)
    table = fetch(manifest, mirror)
    assert list(read_messages(manifest.parent / table["file"][7])) == wanted


def test_wind_components_that_share_a_message(tmp_path, mirror):
    """As in NAM nest files; with an inventory and with one made here."""
    path = mirror / F00.format(0)
    messages = dict(zip(STATE, list(read_messages(path))[1:-1], strict=True))
    pair = pack_together(messages["U10"], messages["V10"])
    rest = b"".join(message for name, message in messages.items() if name not in ("U10", "V10"))
    path.write_bytes(rest[: len(messages["REFC"])] + pair + rest[len(messages["REFC"]) :])
    write_inventory(path)
    with_inventory = fetch(tmp_path / "with" / "manifest.csv", mirror)
    path.with_name(path.name + ".idx").unlink()
    without = fetch(tmp_path / "without" / "manifest.csv", mirror)
    expected = [hashlib.sha256(messages[name]).hexdigest() for name in STATE]
    assert with_inventory["sha256"][:7].tolist() == without["sha256"][:7].tolist() == expected


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (
            lambda path: path.unlink(),
            r"not in the archive; looked at .*/conus/.* and .*/hrrr\.2026",
        ),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(path.read_bytes()[:1000]), "cut off"),
        (
            lambda path: write_file(path, DAY.replace(hour=1), 0, names=STATE[:5]),
            "has no CAPE, CIN at 0 h; leave them out",
        ),
        (
            lambda path: write_file(path, DAY.replace(hour=2), 0),
            r"name says 2026-06-01 01 UTC \+ 0 h, but its header says 2026-06-01 02 UTC \+ 0 h;",
        ),
        (
            lambda path: write_file(path, DAY.replace(hour=1), 3),
            r"name says 2026-06-01 01 UTC \+ 0 h, but its header says 2026-06-01 01 UTC \+ 3 h;",
        ),
    ],
)
@pytest.mark.parametrize("inventory", [True, False])
def test_a_bad_analysis_stops_the_day(manifest, mirror, spoil, complaint, inventory):
    path = mirror / F00.format(1)
    spoil(path)
    if not inventory:
        path.with_name(path.name + ".idx").unlink()
    with pytest.raises(StormdrawError, match=complaint) as caught:
        fetch(manifest, mirror)
    assert "hrrr.t01z.wrfsfcf00.grib2" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not manifest.exists()
    assert not list(manifest.parent.rglob(".*"))


def test_inventories_of_a_folder_are_not_looked_at(manifest, mirror):
    for path in mirror.rglob("*.idx"):
        path.write_text("not:an:inventory\n")
    assert set(fetch(manifest, mirror)["status"]) == {"ok"}


def test_a_rerun_after_the_mirror_is_mended(manifest, mirror):
    path = mirror / F00.format(6)
    content = path.read_bytes()
    path.write_bytes(content[:500])
    with pytest.raises(StormdrawError):
        fetch(manifest, mirror)
    path.write_bytes(content)
    assert len(fetch(manifest, mirror)) == 28


def test_members_in_the_layout_of_five_models(tmp_path):
    write_members(tmp_path / "mirror")
    table = fetch(tmp_path / "href" / "manifest.csv", tmp_path / "mirror", "href", reference())
    assert len(table) == 10 * len(STATE)
    assert set(table["status"]) == {"ok"}
    assert set(table["file"]) == {path.replace("/conus/", "/") for path in MEMBERS}
    mem2 = table[table["member"] == "hiresw_arw_mem2_18h"]
    assert mem2["file"].unique().tolist() == [
        "hiresw.20260531/hiresw.t12z.arw_5km.f19.conusmem2.grib2"
    ]
    assert set(mem2["init"]) == {datetime(2026, 5, 31, 12)}


def test_two_members_that_are_one_file(tmp_path):
    """Cases at 00 and 06 UTC: at lead 7 the newer HRRR of the first is the older of the second."""
    periods = {
        "training": {"start": "2026-05-25T00:00", "end": "2026-05-25T01:00"},
        "test": {"start": "2026-06-01T00:00", "end": "2026-06-01T13:00"},
    }
    run = reference(minimum_members=1, leads=[1, 7], periods=periods, cases={"every_hours": 6})
    for hour, lead in ((0, 1), (0, 7), (6, 1), (6, 7)):
        path = f"hrrr.20260601/hrrr.t{hour:02d}z.wrfsfcf{lead:02d}.grib2"
        write_file(tmp_path / "mirror" / path, datetime(2026, 6, 1, hour), lead)
    table = fetch(tmp_path / "href" / "manifest.csv", tmp_path / "mirror", "href", run)
    shared = table[table["file"] == "hrrr.20260601/hrrr.t00z.wrfsfcf07.grib2"]
    assert shared["member"].unique().tolist() == ["hrrr_00h", "hrrr_06h"]
    assert shared["sha256"].nunique() == len(STATE)


def test_absent_members_are_listed(tmp_path, caplog):
    mirror = tmp_path / "mirror"
    write_members(mirror)
    (mirror / NAM).unlink()
    shutil.rmtree(mirror / "hiresw.20260531")
    manifest = tmp_path / "href" / "manifest.csv"
    table = fetch(manifest, mirror, "href", reference(minimum_members=6))
    absent = table[table["status"] == "absent"]
    assert sorted(zip(absent["member"], absent["lead"], strict=True)) == sorted(
        [("nam_nest_00h", 1), ("hiresw_fv3_18h", 19)] * 7
        + [("hiresw_arw_18h", 19), ("hiresw_arw_mem2_18h", 19)] * 7
    )
    assert set(absent["bytes"]) == {0}
    assert set(absent["sha256"]) == {""}
    nam = absent[absent["member"] == "nam_nest_00h"].iloc[0]
    assert nam["origin"] == str(mirror / NAM)
    assert "nam conusnest.hiresf of 2026-06-01 06 UTC + 1 h: not in the archive" in caplog.text


def test_too_few_members_is_an_error(tmp_path):
    mirror = tmp_path / "mirror"
    write_members(mirror)
    (mirror / NAM).unlink()
    manifest = tmp_path / "href" / "manifest.csv"
    with pytest.raises(
        StormdrawError,
        match=r"HREF of 2026-06-01 06 UTC \+ 1 h: 9 of 10 members .* absent: nam_nest_00h;",
    ):
        fetch(manifest, mirror, "href", reference(minimum_members=10))
    assert not manifest.exists()


def test_mean_and_spread(tmp_path):
    names = ("T2M", "D2M", "CAPE", "CIN", "WIND10")
    init = datetime(2026, 6, 1, 6)
    for product, derived in (("mean", 1), ("sprd", 4)):
        path = f"href.20260601/ensprod/href.t06z.conus.{product}.f01.grib2"
        write_file(tmp_path / "mirror" / path, init, 1, names=names, derived=derived)
    table = fetch(
        tmp_path / "products" / "manifest.csv", tmp_path / "mirror", "href_products", reference()
    )
    assert table["statistic"].tolist() == ["mean"] * 5 + ["spread"] * 5
    assert table["variable"].tolist() == list(names) * 2
    (tmp_path / "mirror" / path).unlink()
    with pytest.raises(StormdrawError, match="href sprd of 2026-06-01 06 UTC"):
        fetch(tmp_path / "p" / "manifest.csv", tmp_path / "mirror", "href_products", reference())


def test_a_day_that_nothing_is_wanted_of(tmp_path, mirror):
    with pytest.raises(StormdrawError, match="needs nothing of 20270101"):
        fetch_day(settings(), "hrrr", "20270101", tmp_path / "manifest.csv", mirror=mirror)


def test_a_time_to_come_may_be_simulated(tmp_path):
    """Herbie refuses future dates, which a simulated archive may well have."""
    run = settings(
        periods={
            "training": {"start": "2126-06-01T00:00", "end": "2126-06-01T00:00"},
            "test": {"start": "2126-06-01T06:00", "end": "2126-06-01T07:00"},
        }
    )
    for hour in (0, 6, 7):
        path = f"hrrr.21260601/conus/hrrr.t{hour:02d}z.wrfsfcf00.grib2"
        write_file(tmp_path / "mirror" / path, datetime(2126, 6, 1, hour), 0)
    fetch_day(run, "hrrr", "21260601", tmp_path / "manifest.csv", mirror=tmp_path / "mirror")
    assert len(read_manifest(tmp_path / "manifest.csv")) == 3 * len(STATE)


def test_ctrl_c_leaves_no_manifest_and_no_scratch(manifest, mirror):
    def interrupt(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(manifest, mirror, progress=interrupt)
    assert not manifest.exists()
    assert not list(manifest.parent.rglob(".*"))
    assert len(fetch(manifest, mirror)) == 28


def test_progress_is_told_in_about_ten_lines(manifest, mirror):
    lines = []
    fetch(manifest, mirror, progress=lines.append)
    assert lines[-1] == "4 of 4 files"
    assert len(lines) <= 10


def test_real_crops(root, real_data, tmp_path):
    """A day of real files in a flat folder without inventories, through the real configuration."""
    config = load_yaml(root / "config" / "idaho.yaml")
    config["archive"]["source"] = {"mirror": str(real_data / "hrrr_idaho")}
    fetch_day(load_settings(config), "hrrr", "20180722", tmp_path / "manifest.csv")
    table = read_manifest(tmp_path / "manifest.csv")
    assert set(table["lead"]) == {1}
    assert table["variable"].unique().tolist() == ["T2M", "D2M", "U10", "V10", "CAPE", "CIN"]
    # Offsets and lengths of the six messages, as ecCodes lists them for the file of 01 UTC.
    one = table[table["init"] == datetime(2018, 7, 22, 1)]
    assert one["bytes"].tolist() == [3386, 3786, 3386, 3386, 988, 2587]
    stored = tmp_path / one["file"].iloc[0]
    real = real_data / "hrrr_idaho/hrrr.20180722/hrrr.t01z.wrfsfcf01.grib2"
    whole = list(read_messages(real))
    assert list(read_messages(stored)) == [whole[index] for index in (10, 13, 15, 16, 38, 39)]
    assert len(find_messages(stored)) == 6


@pytest.mark.parametrize(
    ("hour", "lead", "true"), [(1, 3, r"03 UTC \+ 1 h"), (4, 2, r"05 UTC \+ 1 h")]
)
def test_real_files_whose_names_lie(real_data, hour, lead, true):
    request = FileRequest("hrrr", "sfc", (), datetime(2018, 7, 22, hour), lead, "", ("T2M", "CAPE"))
    with pytest.raises(
        StormdrawError,
        match=rf"hrrr\.t0{hour}z\.wrfsfcf0{lead}\.grib2: its name says 2018-07-22 0{hour} UTC \+ "
        rf"{lead} h, but its header says 2018-07-22 {true};",
    ):
        download(PatientSession(), request, Folder(real_data / "hrrr_idaho"))


def test_a_variable_that_real_crops_lack(root, real_data, tmp_path):
    config = load_yaml(root / "config" / "idaho.yaml") | {"variables": ["REFC", "T2M"]}
    config["archive"]["source"] = {"mirror": str(real_data / "hrrr_idaho")}
    with pytest.raises(StormdrawError, match=r"has no REFC at 1 h; leave it out"):
        fetch_day(load_settings(config), "hrrr", "20180722", tmp_path / "manifest.csv")
