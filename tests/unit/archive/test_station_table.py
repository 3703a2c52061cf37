"""The Parquet of a day's reports: what goes in comes out, and nothing else is taken for it."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from stormdraw.archive.stations.table import read_stations, variables_of, write_stations
from stormdraw.errors import StormdrawError


def reports(hour="2018-07-22T01:00", stations=("BOI", "AAA"), **columns):
    count = len(stations)
    valid = pd.Timestamp(hour)
    return pd.DataFrame(
        {
            "station": list(stations),
            "network": ["ID_ASOS"] * count,
            "valid": [valid] * count,
            "reported": [valid - pd.Timedelta("7min")] * count,
            "latitude": np.linspace(43.0, 44.0, count),
            "longitude": np.linspace(-117.0, -116.0, count),
            "elevation": [858.0] + [np.nan] * (count - 1),
            "T2M": np.linspace(290.0, 291.0, count),
        }
        | columns
    )


def write(path, table, variables=("T2M",)):
    write_stations(path, table, variables, "Reports", "IEM", {"networks": ["ID_ASOS"]})
    return path


def test_rows_come_back_by_time_and_station(tmp_path):
    table = pd.concat([reports("2018-07-22T02:00"), reports()])
    read = read_stations([write(tmp_path / "a.parquet", table)])
    assert list(zip(read["valid"].dt.hour, read["station"], strict=True)) == [
        (1, "AAA"),
        (1, "BOI"),
        (2, "AAA"),
        (2, "BOI"),
    ]
    assert list(read["T2M"]) == [291.0, 290.0, 291.0, 290.0]
    np.testing.assert_array_equal(read["elevation"], [np.nan, 858.0, np.nan, 858.0])
    assert read["valid"].dtype == read["reported"].dtype == np.dtype("datetime64[ns]")
    assert variables_of(read) == ["T2M"]


def test_the_file_says_how_it_was_made(tmp_path):
    metadata = pq.read_schema(write(tmp_path / "a.parquet", reports())).metadata
    assert metadata[b"title"] == b"Reports"
    assert metadata[b"source"] == b"IEM"
    assert json.loads(metadata[b"settings"]) == {"networks": ["ID_ASOS"]}
    assert {b"history", b"stormdraw_commit", b"settings_hash"} <= set(metadata)


def test_days_with_other_variables_are_read_together(tmp_path):
    first = write(tmp_path / "a.parquet", reports())
    gusts = reports("2018-07-23T01:00", GUST=[9.0, np.nan])
    second = write(tmp_path / "b.parquet", gusts, ("T2M", "GUST"))
    read = read_stations([first, second])
    np.testing.assert_array_equal(read["GUST"], [np.nan, np.nan, np.nan, 9.0])


def test_a_day_without_reports_is_a_table_too(tmp_path):
    read = read_stations([write(tmp_path / "a.parquet", reports(stations=("BOI",))[:0])])
    assert len(read) == 0
    assert read["valid"].dtype == np.dtype("datetime64[ns]")


def test_two_rows_of_a_station_and_hour_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="two rows"):
        write(tmp_path / "a.parquet", reports(stations=("BOI", "BOI")))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_table_of_reports_is_refused(tmp_path):
    with pytest.raises(StormdrawError, match=r"none\.parquet: no such file"):
        read_stations([tmp_path / "none.parquet"])
    other = tmp_path / "other.parquet"
    pd.DataFrame({"station": ["BOI"], "T2M": [1]}).to_parquet(other)
    with pytest.raises(StormdrawError, match=r"other\.parquet: not a table.*valid.*T2M should be"):
        read_stations([other])
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and no more")
    with pytest.raises(StormdrawError, match=r"broken\.parquet: not a table of station reports"):
        read_stations([broken])
    with pytest.raises(StormdrawError, match="no file"):
        read_stations([])
