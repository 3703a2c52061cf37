"""What each check drops, and what it leaves, in cases made for it."""

import numpy as np
import pandas as pd
import pytest

from stormdraw.archive.stations.checks import at_one_place, check
from stormdraw.archive.stations.dropped import Dropped
from stormdraw.archive.stations.settings import STUCK_HOURS

NAMES = [f"S{k}" for k in range(7)]
HOURS = pd.date_range("2018-07-22", periods=24, freq="h")


def reports(hours=HOURS, elevation=800.0, **columns):
    """Seven stations 10 km apart, with a daily cycle of temperature that differs by 0.1 K."""
    table = pd.DataFrame(
        [(name, hour) for hour in hours for name in NAMES], columns=["station", "valid"]
    )
    number = table["station"].str[1:].astype(float)
    hour = table["valid"].dt.hour
    table = table.assign(
        network="N",
        reported=table["valid"],
        latitude=43.0 + 0.09 * number,
        longitude=-116.0,
        elevation=elevation,
        T2M=290.0 + 8 * np.sin(2 * np.pi * hour / 24) + 0.1 * number,
        D2M=280.0 + np.cos(2 * np.pi * hour / 24) + 0.1 * number,
    )
    return table.assign(**columns)


def at(table, station, hour=None):
    rows = table["station"] == station
    return rows if hour is None else rows & (table["valid"] == HOURS[hour])


def checked(table, excluded=()):
    dropped = Dropped()
    left = check(table, excluded, dropped)
    return left, dropped.table()


def counts(dropped):
    return dropped.groupby(["station", "variable", "reason"]).size().to_dict()


def test_nothing_is_dropped_of_good_reports():
    left, dropped = checked(reports())
    pd.testing.assert_frame_equal(left, reports())
    assert dropped.empty


def test_a_blacklisted_station_is_gone_and_its_values_are_counted():
    left, dropped = checked(reports(), {"S3", "elsewhere"})
    assert set(left["station"]) == set(NAMES) - {"S3"}
    assert counts(dropped) == {("S3", name, "blacklisted"): 24 for name in ("T2M", "D2M")}


@pytest.mark.parametrize(
    ("name", "value"), [("T2M", 333.1), ("T2M", 212.9), ("D2M", 313.1), ("GUST", -0.1)]
)
def test_a_value_beyond_the_bounds_of_its_variable_is_dropped(name, value):
    table = reports(GUST=5.0)
    table.loc[at(table, "S2", 5), name] = value
    left, dropped = checked(table)
    assert left[name].isna().sum() == 1
    assert dropped.to_dict("records") == [
        {
            "station": "S2",
            "valid": HOURS[5],
            "variable": name,
            "value": str(value),
            "reason": "gross_limits",
        }
    ]


def test_of_a_wind_beyond_bounds_nothing_is_left():
    table = reports(U10=3.0, V10=4.0, WIND10=5.0)
    table.loc[at(table, "S2", 5), ["U10", "V10", "WIND10"]] = [80.0, 4.0, 80.1]
    left, dropped = checked(table)
    assert left.loc[at(left, "S2", 5), ["U10", "V10", "WIND10"]].isna().all(axis=None)
    assert counts(dropped) == {("S2", n, "gross_limits"): 1 for n in ("U10", "V10", "WIND10")}


def test_a_variable_wind_keeps_its_speed():
    table = reports(U10=np.nan, V10=np.nan, WIND10=2.0)
    left, dropped = checked(table)
    assert (left["WIND10"] == 2.0).all()
    assert dropped.empty


def test_a_dew_point_above_the_temperature_drops_both():
    table = reports()
    table.loc[at(table, "S1", 3), ["T2M", "D2M"]] = [295.0, 295.1]
    table.loc[at(table, "S1", 4), ["T2M", "D2M"]] = [295.0, 295.0]
    left, dropped = checked(table)
    assert counts(dropped) == {("S1", name, "inconsistent"): 1 for name in ("T2M", "D2M")}
    assert left.loc[at(left, "S1", 3), ["T2M", "D2M"]].isna().all(axis=None)


def test_a_dew_point_above_the_temperature_by_rounding_alone_stays():
    table = reports()
    table.loc[at(table, "S1", 3), ["T2M", "D2M"]] = [295.0, 295.0 + 1e-9]
    assert checked(table)[1].empty


def test_a_gust_below_the_wind_drops_it_and_the_whole_wind():
    table = reports(U10=0.0, V10=6.0, WIND10=6.0, GUST=10.0)
    table.loc[at(table, "S1", 3), "GUST"] = 5.9
    table.loc[at(table, "S2", 3), "GUST"] = 6.0 - 1e-9
    left, dropped = checked(table)
    wind = ["U10", "V10", "WIND10", "GUST"]
    assert counts(dropped) == {("S1", name, "inconsistent"): 1 for name in wind}
    assert left.loc[at(left, "S1", 3), wind].isna().all(axis=None)
    speeds = table.drop(columns=["U10", "V10"])
    assert counts(checked(speeds)[1]) == {("S1", n, "inconsistent"): 1 for n in ("GUST", "WIND10")}


@pytest.mark.parametrize("apart", [0.04, 0.06])
@pytest.mark.parametrize("side", ["latitude", "longitude"])
def test_a_name_at_two_places_is_of_no_station(apart, side):
    """Also at the date line, where -179.99 is near 180."""
    table = reports(hours=HOURS[:2], longitude=180.0)
    table.loc[at(table, "S1", 1), side] += apart
    table.loc[at(table, "S2", 1), "longitude"] = -179.99
    dropped = Dropped()
    left = at_one_place(table, dropped)
    if apart < 0.05:
        assert len(left) == len(table)
        assert dropped.table().empty
    else:
        assert set(left["station"]) == set(NAMES) - {"S1"}
        assert counts(dropped.table()) == {("S1", n, "two_places"): 2 for n in ("T2M", "D2M")}


def test_a_sensor_of_whole_degrees_is_stuck_only_if_it_never_changes():
    """In fog the dew point stays for 14 hours, then rises by a degree, by a tenth of it, or not."""
    table = reports()
    foggy = at(table, "S4")
    hours = np.arange(24)
    for rise, stuck in ((1.0, 0), (0.1, 14), (0.0, 24)):
        table.loc[foggy, "D2M"] = 275.0 + rise * np.clip(hours - 13, 0, 3)
        assert counts(checked(table)[1]) == ({("S4", "D2M", "stuck"): stuck} if stuck else {})


def test_a_sensor_that_reports_one_value_for_half_a_day_is_stuck():
    table = reports()
    rows = at(table, "S4") & (table["valid"] < HOURS[STUCK_HOURS + 1])
    table.loc[rows, "D2M"] = 280.0
    left, dropped = checked(table)
    assert counts(dropped) == {("S4", "D2M", "stuck"): STUCK_HOURS + 1}
    assert left.loc[rows, "D2M"].isna().all()
    table.loc[at(table, "S4", STUCK_HOURS), "D2M"] = 280.1
    assert checked(table)[1].empty


def test_one_value_at_two_stations_one_after_the_other_is_no_stuck_sensor():
    table = reports()
    table.loc[at(table, "S4") & (table["valid"] >= HOURS[-7]), "D2M"] = 280.0
    table.loc[at(table, "S5") & (table["valid"] < HOURS[7]), "D2M"] = 280.0
    assert checked(table)[1].empty


def test_a_long_calm_is_no_stuck_sensor():
    assert checked(reports(U10=0.0, V10=0.0, WIND10=0.0, APCP=0.0))[1].empty


def test_one_value_in_few_reports_is_no_stuck_sensor():
    table = reports(HOURS[::3])
    table.loc[at(table, "S4"), "D2M"] = 280.0
    assert counts(checked(table)[1]) == {("S4", "D2M", "stuck"): 8}
    fewer = table[~at(table, "S4") | (table["valid"] > HOURS[0])]
    assert checked(fewer)[1].empty


def celsius_taken_for_fahrenheit(kelvin):
    """25 C in a column of Fahrenheit is read as 25 F, which is -3.9 C."""
    return (kelvin - 273.15 - 32.0) / 1.8 + 273.15


def test_a_station_in_celsius_by_mistake_is_unlike_its_neighbours():
    table = reports()
    rows = at(table, "S5")
    for name in ("T2M", "D2M"):
        table.loc[rows, name] = celsius_taken_for_fahrenheit(table.loc[rows, name])
    left, dropped = checked(table)
    assert counts(dropped) == {("S5", name, "neighbours"): 24 for name in ("T2M", "D2M")}
    assert left.loc[~rows, ["T2M", "D2M"]].notna().all(axis=None)


def test_one_value_unlike_its_neighbours_is_dropped_alone():
    """Neighbours differ by less than 3 K, which is the least spread: four times that is 12 K."""
    table = reports()
    middle = 290.0 + 8 * np.sin(2 * np.pi * 6 / 24) + 0.3
    for apart, expected in ((11.5, {}), (12.5, {("S3", "T2M", "neighbours"): 1})):
        table.loc[at(table, "S3", 6), "T2M"] = middle + apart
        assert counts(checked(table)[1]) == expected


def test_where_neighbours_differ_much_a_value_may_be_further_off():
    """Deviations from the median of 1 to 30 K: their median is 15 K, and no value is dropped."""
    table = reports().drop(columns="D2M")
    for station, apart in zip(NAMES, (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0), strict=True):
        table.loc[at(table, station, 6), "T2M"] = 295.0 + apart
    assert checked(table)[1].empty


def test_what_is_wrong_most_of_the_time_is_dropped_all_the_time():
    """A station far too warm at 13 of 24 hours is not believed at the others."""
    for wrong, expected in ((12, 12), (13, 24)):
        table = reports()
        table.loc[at(table, "S3") & (table["valid"] < HOURS[wrong]), "T2M"] += 20.0
        assert counts(checked(table)[1]) == {("S3", "T2M", "neighbours"): expected}


@pytest.mark.parametrize("elevation", [1101.0, np.nan])
def test_a_station_with_no_neighbours_of_its_height_is_left_alone(elevation):
    table = reports()
    table.loc[at(table, "S3"), "elevation"] = elevation
    table.loc[at(table, "S3", 6), "T2M"] += 20.0
    assert checked(table)[1].empty
    table.loc[at(table, "S3"), "elevation"] = 1100.0
    assert counts(checked(table)[1]) == {("S3", "T2M", "neighbours"): 1}


def test_a_station_far_from_the_others_is_left_alone():
    """A degree of latitude is 111.2 km: S0, at 43 N, is the fifth within 1.349 degrees."""
    table = reports()
    for north, count in ((1.355, 0), (1.345, 1)):
        table.loc[at(table, "S6"), "latitude"] = 43.0 + north
        table.loc[at(table, "S6", 6), "T2M"] = 315.0
        assert checked(table[~at(table, "S5")])[1].shape[0] == count


def test_temperature_is_compared_at_the_height_of_the_station():
    """300 m higher is 1.95 K colder: 13 K too cold is 11.05 K, and too warm 14.95 K."""
    table = reports()
    table.loc[at(table, "S3"), "elevation"] = 1100.0
    middle = 290.0 + 8 + 0.3
    for apart, expected in ((-13.0, 0), (13.0, 1)):
        table.loc[at(table, "S3", 6), "T2M"] = middle + apart
        assert checked(table)[1].shape[0] == expected


def test_with_fewer_than_five_neighbours_that_report_nothing_is_said():
    table = reports()
    table.loc[at(table, "S3", 6), "T2M"] += 20.0
    table.loc[at(table, "S0", 6), "T2M"] = np.nan
    assert counts(checked(table)[1]) == {("S3", "T2M", "neighbours"): 1}
    table.loc[at(table, "S1", 6), "T2M"] = np.nan
    assert checked(table)[1].empty


def test_a_dry_line_and_a_cold_pool_stay():
    """Twelve kelvin of dew point from one neighbour to the next; 11 K under a storm."""
    table = reports()
    table.loc[table["station"].isin(NAMES[3:]), "D2M"] -= 12.0
    table.loc[at(table, "S3", 6), "T2M"] -= 11.0
    assert checked(table)[1].empty


def test_no_reports_are_no_error():
    left, dropped = checked(reports()[:0])
    assert left.empty
    assert dropped.empty


def test_the_list_of_what_was_dropped_is_of_the_wanted_hours(tmp_path):
    table = reports()
    table.loc[at(table, "S2"), "T2M"] = 400.0
    dropped = Dropped()
    check(table, (), dropped)
    dropped.write(tmp_path / "quality" / "20180722.csv", list(HOURS[5:7]))
    assert (tmp_path / "quality" / "20180722.csv").read_text() == (
        "station,valid,variable,value,reason\n"
        "S2,2018-07-22 05:00:00,T2M,400.0,gross_limits\n"
        "S2,2018-07-22 06:00:00,T2M,400.0,gross_limits\n"
    )
