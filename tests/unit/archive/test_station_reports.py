"""Reports as IEM and others write them, against values worked out by hand."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from stormdraw.archive.stations.dropped import Dropped
from stormdraw.archive.stations.full_hours import at_full_hours
from stormdraw.archive.stations.reports import read_reports
from stormdraw.archive.stations.settings import IEM_COLUMNS, Column
from stormdraw.errors import StormdrawError

# Routine reports of two airports, a special one, and one of those that come every five minutes.
IEM = """\
#DEBUG: Format Typ    -> onlycomma
station,valid,lon,lat,elevation,tmpf,dwpf,drct,sknt,gust,mslp,p01i
BOI,2018-07-22 00:53,-116.2228,43.5644,874.00,95.00,41.00,310.00,10.00,22.00,1009.80,0.01
TWF,2018-07-22 00:53,-114.4870,42.4819,1265.00,M,null,,M,M,M,T
BOI,2018-07-22 01:07,-116.2228,43.5644,874.00,86.00,50.00,M,4.00,M,M,0.00
BOI,2018-07-22 01:20,-116.2228,43.5644,874.00,84.20,50.00,0.00,0.00,M,M,M
BOI,2018-07-22 01:53,-116.2228,43.5644,874.00,80.60,50.00,360.00,6.00,M,1010.00,0.25
"""


def write(folder, text, name="reports.csv"):
    path = folder / name
    path.write_text(text)
    return path


def read(folder, text=IEM, columns=None):
    dropped = Dropped()
    table = read_reports(write(folder, text), columns or IEM_COLUMNS, dropped, "ID_ASOS")
    return table, dropped.table()


def test_units_of_iem_become_those_of_our_variables(tmp_path):
    """95 F is 35 C, 41 F is 5 C; 10 knots are 10 * 1852 / 3600 m/s, 0.01 inch 0.254 kg/m2."""
    table, dropped = read(tmp_path)
    first = table.iloc[0]
    assert (first["station"], first["network"]) == ("BOI", "ID_ASOS")
    assert first["reported"] == pd.Timestamp("2018-07-22T00:53")
    assert (first["longitude"], first["latitude"]) == pytest.approx((-116.2228, 43.5644))
    assert first["elevation"] == 874.0
    assert first["T2M"] == pytest.approx(308.15)
    assert first["D2M"] == pytest.approx(278.15)
    assert first["GUST"] == pytest.approx(22 * 1852 / 3600)
    assert first["MSLMA"] == first["MSLP"] == pytest.approx(100980.0)
    assert first["APCP"] == pytest.approx(0.254)
    assert dropped.empty


def test_a_wind_from_north_west_blows_towards_east_and_south(tmp_path):
    """From 310 degrees at 5.1444 m/s: -5.1444 sin 310 = 3.9409 and -5.1444 cos 310 = -3.3068."""
    first = read(tmp_path)[0].iloc[0]
    assert first["WIND10"] == pytest.approx(5.144444)
    assert first["U10"] == pytest.approx(3.94087, abs=1e-5)
    assert first["V10"] == pytest.approx(-3.30678, abs=1e-5)


def test_a_calm_has_components_and_a_variable_wind_has_only_a_speed(tmp_path):
    table = read(tmp_path)[0]
    variable, calm, north = table.iloc[2], table.iloc[3], table.iloc[4]
    assert np.isnan([variable["U10"], variable["V10"]]).all()
    assert variable["WIND10"] == pytest.approx(4 * 1852 / 3600)
    assert (calm["U10"], calm["V10"], calm["WIND10"]) == (0.0, 0.0, 0.0)
    assert north["U10"] == pytest.approx(0.0, abs=1e-12)
    assert north["V10"] == pytest.approx(-6 * 1852 / 3600)


def test_a_calm_without_a_direction_is_a_calm(tmp_path):
    text = IEM.replace("0.00,0.00,M,M,M\n", "M,0.00,M,M,M\n")
    assert text != IEM
    calm = read(tmp_path, text)[0].iloc[3]
    assert (calm["U10"], calm["V10"]) == (0.0, 0.0)


@pytest.mark.parametrize("missing", ["M", "null", ""])
def test_missing_values_are_missing_and_a_trace_is_no_rain(tmp_path, missing):
    text = "\n".join(line.replace("M,null,,M,M,M,T", f"{missing},,{missing},,,,T")
                     for line in IEM.splitlines())  # fmt: skip
    table, dropped = read(tmp_path, text)
    twf = table[table["station"] == "TWF"].iloc[0]
    assert np.isnan(twf[["T2M", "D2M", "U10", "V10", "WIND10", "GUST"]].astype(float)).all()
    assert twf["APCP"] == 0.0
    assert dropped.empty


def test_what_is_no_number_is_dropped_and_listed(tmp_path):
    text = IEM.replace("95.00,41.00", "9S.00,inf")
    table, dropped = read(tmp_path, text)
    assert np.isnan(table.iloc[0]["T2M"])
    assert dropped.to_dict("records") == [
        {
            "station": "BOI",
            "valid": pd.Timestamp("2018-07-22T01:00"),
            "variable": name,
            "value": value,
            "reason": "unreadable",
        }
        for name, value in (("D2M", "inf"), ("T2M", "9S.00"))
    ]


@pytest.mark.parametrize(
    "place", ["M,42.4819", "-114.4870,90.1", "-180.1,42.4819", "360.1,42.4819"]
)
def test_reports_from_nowhere_and_of_nobody_are_dropped_and_listed(tmp_path, place):
    text = IEM.replace("-114.4870,42.4819", place).replace(
        "BOI,2018-07-22 01:53", ",2018-07-22 01:53"
    )
    table, dropped = read(tmp_path, text)
    assert list(table["station"]) == ["BOI"] * 3
    assert set(dropped["reason"]) == {"no_position", "no_name"}


@pytest.mark.parametrize(("text", "known"), [("-999", False), ("9001", False), ("-413", True)])
def test_an_elevation_that_is_none_on_earth_is_unknown_and_listed(tmp_path, text, known):
    """The lowest land, at the Dead Sea, is 430 m below the sea."""
    table, dropped = read(tmp_path, IEM.replace("1265.00", text))
    assert np.isfinite(table["elevation"]).tolist() == [True, known, True, True, True]
    listed = [] if known else [("TWF", "elevation", f"{float(text)}", "gross_limits")]
    columns = ["station", "variable", "value", "reason"]
    assert list(dropped[columns].itertuples(index=False, name=None)) == listed


def test_winds_that_cannot_be_are_dropped_and_listed(tmp_path):
    text = IEM.replace("310.00,10.00", "400.00,10.00").replace("360.00,6.00", "360.00,-6.00")
    table, dropped = read(tmp_path, text)
    assert np.isnan(table.iloc[0]["U10"])
    assert np.isnan(table.iloc[4]["WIND10"])
    assert list(dropped["reason"]) == ["gross_limits"] * 2


OWN = {
    "station": Column(name="stid"),
    "network": Column(name="owner"),
    "valid": Column(name="time"),
    "longitude": Column(name="lon", units="degree"),
    "latitude": Column(name="lat", units="degree"),
    "T2M": Column(name="temp", units="degC"),
    "GUST": Column(name="fx", units="km/h"),
}


def test_own_tables_are_read_by_their_columns_and_units(tmp_path):
    text = "time,stid,owner,lat,lon,temp,fx\n2018-07-22T02:53:00+02:00,1,me,43.5,243.75,25.0,36\n"
    row = read(tmp_path, text, OWN)[0].iloc[0]
    assert (row["station"], row["network"]) == ("1", "me")
    assert row["reported"] == pd.Timestamp("2018-07-22T00:53")
    assert row["longitude"] == -116.25
    assert np.isnan(row["elevation"])
    assert (row["T2M"], row["GUST"]) == pytest.approx((298.15, 10.0))


def test_parquet_is_read_as_csv_is(tmp_path):
    table = pd.DataFrame(
        {
            "time": pd.to_datetime(["2018-07-22T00:53", "2018-07-22T01:53"]).tz_localize("UTC"),
            "stid": ["A", "B"],
            "owner": ["me", None],
            "lat": [43.5, 44.0],
            "lon": [-116.25, -117.0],
            "temp": [25.0, np.nan],
            "fx": ["36", "M"],
        }
    )
    path = tmp_path / "reports.parquet"
    table.to_parquet(path)
    dropped = Dropped()
    read = read_reports(path, OWN, dropped)
    assert list(read["reported"].dt.hour) == [0, 1]
    np.testing.assert_allclose(read["T2M"], [298.15, np.nan])
    np.testing.assert_allclose(read["GUST"], [10.0, np.nan])
    assert dropped.table().empty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "stid,owner,time,lon,lat\nA,me,2018-07-22 00:00,1,1\n",
            "has no column fx, temp; its columns",
        ),
        ("stid,owner,time,lon,lat,temp,fx\nA,me,noon,1,1,1,1\n", "time: 'noon' is not a time"),
        ("stid,owner,time,lon,lat,temp,fx\nA,me,,1,1,1,1\n", "time: '' is not a time"),
        ("", "cannot be read as CSV: Empty CSV file"),
        ("stid,owner\nA,b,c\n", "cannot be read as CSV: .*Expected 2 columns, got 3"),
        ("stid,owner\nA\n", "cannot be read as CSV: .*Expected 2 columns, got 1"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path, text, said):
    with pytest.raises(StormdrawError, match=rf"reports\.csv:? .*({said})|reports\.csv {said}"):
        read(tmp_path, text, OWN)


def test_numbers_are_no_times(tmp_path):
    """20180722 could be a day, or seconds since some year."""
    path = tmp_path / "a.parquet"
    row = {"stid": "A", "owner": "me", "time": 20180722, "lon": 1.0, "lat": 1.0, "temp": 1, "fx": 1}
    pd.DataFrame([row]).to_parquet(path)
    with pytest.raises(StormdrawError, match=r"a\.parquet: time has numbers, not times; write"):
        read_reports(path, OWN, Dropped())


def test_a_file_that_is_no_parquet_is_refused(tmp_path):
    with pytest.raises(StormdrawError, match=r"a\.parquet: not Parquet"):
        read_reports(write(tmp_path, "station", "a.parquet"), OWN, Dropped())


def at_hours(*minutes, station="BOI", minutes_of_tolerance=15, **columns):
    table = pd.DataFrame(
        {
            "station": station,
            "reported": [pd.Timestamp("2018-07-22") + pd.Timedelta(m, "min") for m in minutes],
            "T2M": np.arange(len(minutes), dtype=float),
        }
        | columns
    )
    return at_full_hours(table, timedelta(minutes=minutes_of_tolerance))


def test_the_report_nearest_to_the_hour_counts():
    """53, 58 and 67 minutes past midnight: 58 is nearest to one o'clock."""
    (row,) = at_hours(53, 58, 67, 90).to_dict("records")
    assert row["valid"] == pd.Timestamp("2018-07-22T01:00")
    assert row["reported"] == pd.Timestamp("2018-07-22T00:58")
    assert row["T2M"] == 1.0


def test_of_two_equally_far_the_earlier_counts():
    assert list(at_hours(65, 55)["T2M"]) == [1.0]


def test_of_two_of_one_minute_the_correction_counts():
    assert list(at_hours(53, 53)["T2M"]) == [1.0]


@pytest.mark.parametrize(("minute", "hours"), [(44, []), (45, [1]), (75, [1]), (76, [])])
def test_a_report_further_away_than_the_tolerance_counts_for_no_hour(minute, hours):
    assert list(at_hours(minute)["valid"].dt.hour) == hours


def test_reports_late_in_the_day_count_for_midnight():
    (row,) = at_hours(23 * 60 + 53).to_dict("records")
    assert row["valid"] == pd.Timestamp("2018-07-23T00:00")


def test_rain_is_the_largest_sum_up_to_the_hour():
    """The routine report at 53 has the hour's; the gauge then starts anew, so 58 has minutes."""
    table = at_hours(47, 53, 58, 63, APCP=[1.0, 2.5, 0.2, 0.7])
    assert list(table["APCP"]) == [2.5]
    assert list(table["T2M"]) == [2.0]
    assert np.isnan(at_hours(63, APCP=[0.7])["APCP"]).all()
