"""A day of reports, from a folder of one's own or from IEM, to the Parquet."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from station_files import OWN_COLUMNS

from stormdraw.archive.stations import day as days
from stormdraw.archive.stations.day import write_day
from stormdraw.archive.stations.iem import HEADER
from stormdraw.archive.stations.own_files import files_of, require_readable
from stormdraw.archive.stations.settings import Column, StationFiles
from stormdraw.archive.stations.table import read_stations
from stormdraw.errors import StormdrawError
from stormdraw.settings import load_settings, load_yaml

DATE = "20180722"
OWN = """\
stid,time,lon,lat,elev,temp,dd,ff
A,2018-07-22 19:53,-116.2,43.6,874,30.0,270,36
A,2018-07-22 20:58,-116.2,43.6,874,31.0,180,18
A,2018-07-22 21:30,-116.2,43.6,874,32.0,180,18
B,2018-07-22 20:02,-115.9,43.9,1500,99.0,,0
C,2018-07-22 20:02,-115.9,43.9,1500,20.0,90,36
A,2018-07-22 23:55,-116.2,43.6,874,29.0,360,36
"""


def idaho(root, stations, **archive):
    """The configuration of the Idaho crops, with stations."""
    config = load_yaml(root / "config" / "idaho.yaml")
    config["archive"] |= {"stations": stations} | archive
    return load_settings(config)


def test_an_hour_of_a_forecast_has_the_reports_of_that_hour(root, tmp_path, monkeypatch):
    """The simulated archive has them by day."""
    config = load_yaml(root / "config" / "demo.yaml")
    for key in ("periods", "models"):
        del config[key]
    simulated = {"since": "2026-06-08T00:00"}
    config |= {"cycle": [2026060806], "verify": True}
    config["archive"] |= {"simulated": simulated, "truth": {}}
    config["ensembles"]["systems"] = [
        {"name": "persistence", "method": "baseline", "kind": "persistence"}
    ]
    config["scores"] = {}
    day = tmp_path / "mirror" / "iem" / "20260608"
    day.mkdir(parents=True)
    rows = [f"A,2026-06-08 {time},-97.7,37.5,400,180,5,70,60,M,M,M" for time in ("05:58", "06:58")]
    (day / "SIM.csv").write_text("\n".join([HEADER, *rows, ""]))
    path, _ = write(load_settings(config), tmp_path, "2026060807", simulated=tmp_path / "mirror")
    table = read_stations([path])
    assert list(table["valid"].dt.strftime("%d %H")) == ["08 07"]


@pytest.fixture
def own(tmp_path):
    folder = tmp_path / "obs"
    folder.mkdir()
    (folder / "july.csv").write_text(OWN)
    return {"source": {"files": str(folder), "columns": OWN_COLUMNS}, "exclude": ["C"]}


def write(settings, folder, date=DATE, **options):
    path, quality = folder / f"{date}.parquet", folder / "quality" / f"{date}.csv"
    write_day(settings, date, path, quality, **options)
    return path, quality


def test_an_own_station_file_for_the_idaho_crops_becomes_parquet(root, own, tmp_path):
    """Cases at 19, 20 and 21 UTC to 3 h are compared at 20 to 24 UTC; 21:30 is no full hour's."""
    path, quality = write(idaho(root, own), tmp_path)
    table = read_stations([path])
    assert list(table.columns[7:]) == ["T2M", "U10", "V10", "WIND10"]
    assert list(zip(table["station"], table["valid"].dt.hour, strict=True)) == [
        ("A", 20),
        ("B", 20),
        ("A", 21),
    ]
    np.testing.assert_allclose(table["T2M"], [303.15, np.nan, 304.15])
    np.testing.assert_allclose(table["U10"], [10.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(table["V10"], [0.0, 0.0, 5.0], atol=1e-12)
    np.testing.assert_allclose(table["WIND10"], [10.0, 0.0, 5.0])
    assert quality.read_text() == (
        "station,valid,variable,value,reason\n"
        "B,2018-07-22 20:00:00,T2M,372.15,gross_limits\n"
        "C,2018-07-22 20:00:00,T2M,293.15,blacklisted\n"
        "C,2018-07-22 20:00:00,U10,-10.0,blacklisted\n"
        f"C,2018-07-22 20:00:00,V10,{-10 * np.cos(np.pi / 2)},blacklisted\n"
        "C,2018-07-22 20:00:00,WIND10,10.0,blacklisted\n"
    )
    metadata = pq.read_schema(path).metadata
    assert metadata[b"title"] == b"Reports of weather stations on 20180722"
    assert json.loads(metadata[b"settings"])["stations"]["exclude"] == ["C"]


def test_a_report_just_before_midnight_is_of_the_next_day(root, own, tmp_path):
    table = read_stations([write(idaho(root, own), tmp_path, "20180723")[0]])
    assert list(table["reported"]) == [pd.Timestamp("2018-07-22T23:55")]
    assert table["V10"][0] == pytest.approx(-10.0)


def test_a_sensor_stuck_since_the_day_before_is_found_at_midnight(root, own, tmp_path):
    """Nine reports from 12 UTC to midnight, of which the run compares with the last alone."""
    lines = OWN.splitlines()[:1]
    for minute in range(0, 13 * 60, 90):
        time = pd.Timestamp("2018-07-22T12:00") + pd.Timedelta(minute, "min")
        lines.append(f"A,{time.round('h'):%Y-%m-%d %H:%M},-116.2,43.6,874,30.0,0,0")
    (Path(own["source"]["files"]) / "july.csv").write_text("\n".join(lines) + "\n")
    path, quality = write(idaho(root, own), tmp_path, "20180723")
    assert read_stations([path])["T2M"].isna().all()
    assert "stuck" in quality.read_text()


def test_a_day_without_reports_ends_the_run_unless_absence_is_allowed(root, own, tmp_path):
    (Path(own["source"]["files"]) / "july.csv").write_text(OWN.splitlines()[0] + "\n")
    with pytest.raises(StormdrawError, match="no report of 20180722; correct its networks or"):
        write(idaho(root, own), tmp_path)
    assert not list(tmp_path.glob("*.parquet"))
    path, quality = write(idaho(root, own, missing="skip"), tmp_path)
    assert read_stations([path]).empty
    assert quality.read_text() == "station,valid,variable,value,reason\n"


def test_a_day_that_no_forecast_is_compared_at_is_refused(root, own, tmp_path):
    with pytest.raises(StormdrawError, match="needs none of 20180701"):
        write(idaho(root, own), tmp_path, "20180701")


def test_reports_of_iem_are_of_all_networks(root, tmp_path, monkeypatch):
    """A station that is in two networks is one station."""
    rows = {
        "ID_ASOS": "BOI,2018-07-22 19:53,-116.22,43.56,874.00,270.00,10.00,86.00,50.00,M,M,M",
        "OR_ASOS": "ONO,2018-07-22 19:56,-117.01,44.02,668.00,M,4.00,87.80,50.00,M,M,M\n"
        "BOI,2018-07-22 19:53,-116.22,43.56,874.00,270.00,10.00,86.00,50.00,M,M,M",
    }
    asked_for = []

    def fetch(folder, date, asked, service):
        asked_for.extend(asked)
        paths = [folder / date / f"{one.network}.csv" for one in asked]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{HEADER}\n{rows[path.stem]}\n")
        return paths

    monkeypatch.setattr(days, "fetch", fetch)
    path, _ = write(idaho(root, {"networks": list(rows)}), tmp_path)
    table = read_stations([path])
    assert list(table["station"]) == ["BOI", "ONO"]
    np.testing.assert_allclose(table["T2M"], [303.15, 304.15])
    np.testing.assert_allclose(table["U10"], [10 * 1852 / 3600, np.nan])
    assert [one.network for one in asked_for] == list(rows)
    # More than a day, with the hours before it in which a sensor may have been stuck.
    assert str(asked_for[0].first) == "2018-07-21 11:45:00"
    assert str(asked_for[0].last) == "2018-07-22 23:15:00"
    assert path.parent / "iem" / DATE / "ID_ASOS.csv" in (tmp_path / "iem" / DATE).glob("*")


def test_two_stations_of_one_name_are_not_taken_for_one(root, own, tmp_path):
    """They report at the same minutes, so that of each hour one of the two would be left."""
    folder = Path(own["source"]["files"])
    (folder / "other.csv").write_text(OWN.replace("-116.2,43.6", "-110.2,43.6"))
    path, quality = write(idaho(root, own), tmp_path)
    assert set(read_stations([path])["station"]) == {"B"}
    listed = pd.read_csv(quality)
    assert set(listed[listed["reason"] == "two_places"]["station"]) == {"A"}


def test_files_with_a_day_in_their_names_are_read_for_the_days_around_it(tmp_path):
    names = ["all.csv", "20180721.parquet", "obs_2018-07-22.csv", "20180723.csv", "20180724.csv"]
    for name in [*names, "readme.txt"]:
        (tmp_path / name).touch()
    columns = {key: Column.model_validate(column) for key, column in OWN_COLUMNS.items()}
    found = files_of(StationFiles(files=str(tmp_path), columns=columns), DATE)
    assert sorted(path.name for path in found) == sorted(names[:-1])


@pytest.mark.parametrize(
    "name", ["obs_20180701-20180731", "2018-07-01_2018-07-21", "20180723_20180724"]
)
def test_a_file_with_two_days_in_its_name_is_read_for_those_between_them(tmp_path, name):
    assert [path.stem for path in named(tmp_path, name)] == [name]


@pytest.mark.parametrize("name", ["20180601-20180720", "20180724_20180801"])
def test_a_file_of_days_long_before_or_after_is_not_read(tmp_path, name):
    (tmp_path / "other.csv").touch()
    assert [path.stem for path in named(tmp_path, name)] == ["other"]


@pytest.mark.parametrize("name", ["USW00021225", "72681024", "20181399", "00030101"])
def test_a_stations_number_in_a_files_name_is_no_day(tmp_path, name):
    """As in GHCN, which has a file for each station."""
    assert [path.stem for path in named(tmp_path, name)] == [name]


def named(folder, name):
    """What is read for `DATE` of a folder with a file of that name."""
    (folder / f"{name}.csv").touch()
    columns = {key: Column.model_validate(column) for key, column in OWN_COLUMNS.items()}
    return files_of(StationFiles(files=str(folder), columns=columns), DATE)


def test_a_file_of_excel_begins_with_a_mark(root, own, tmp_path):
    """The first column is then a text too: 0123 is the name of a station."""
    path = Path(own["source"]["files"]) / "july.csv"
    path.write_text(OWN.replace("\nA,", "\n0123,"), encoding="utf-8-sig")
    settings = idaho(root, own)
    require_readable(settings)
    table = read_stations([write(settings, tmp_path)[0]])
    assert set(table["station"]) == {"0123", "B"}


def test_a_column_that_a_file_has_twice_is_refused(root, own, tmp_path):
    path = Path(own["source"]["files"]) / "july.csv"
    path.write_text("\n".join(f"{line},temp" for line in OWN.splitlines()) + "\n")
    with pytest.raises(StormdrawError, match=r"july\.csv has more than one column temp; leave one"):
        require_readable(idaho(root, own))


def test_the_columns_of_parquet_are_known_before_the_first_job(root, own, tmp_path):
    folder = Path(own["source"]["files"])
    pd.read_csv(folder / "july.csv").to_parquet(folder / "a.parquet")
    require_readable(idaho(root, own))
    pd.read_csv(folder / "july.csv").drop(columns="ff").to_parquet(folder / "a.parquet")
    with pytest.raises(StormdrawError, match=r"a\.parquet has no column ff"):
        require_readable(idaho(root, own))


def test_what_cannot_be_read_is_refused_before_the_first_job(root, own, tmp_path):
    require_readable(idaho(root, own))
    own["source"]["columns"] = OWN_COLUMNS | {"D2M": {"name": "dew", "units": "degC"}}
    with pytest.raises(
        StormdrawError, match=r"columns: .*july\.csv has no column dew; its columns"
    ):
        require_readable(idaho(root, own))
    own["source"] |= {"files": str(tmp_path / "none")}
    with pytest.raises(StormdrawError, match=r"files: .*none has no \.csv or \.parquet"):
        require_readable(idaho(root, own))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.parquet").write_text("PAR1")
    own["source"] |= {"files": str(tmp_path / "broken")}
    with pytest.raises(StormdrawError, match=r"a\.parquet: cannot be read"):
        require_readable(idaho(root, own))
    with pytest.raises(StormdrawError, match=r"exclude: none\.txt cannot be read"):
        require_readable(idaho(root, {"networks": ["ID_ASOS"], "exclude": "none.txt"}))
