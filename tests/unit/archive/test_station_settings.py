"""The section `archive.stations`: what is taken, and what is refused in one line."""

import pytest
from archive_mirror import settings
from station_files import OWN_COLUMNS

from stormdraw.archive.stations.wanted import (
    excluded_stations,
    station_hours,
    station_variables,
)
from stormdraw.errors import StormdrawError

MIRROR = {"mirror": "crops"}
IEM = {"networks": ["ID_ASOS", "GB__ASOS", "CA_AB_ASOS"]}
COLUMNS = {key: OWN_COLUMNS[key] for key in ("station", "valid", "longitude", "latitude", "T2M")}
WIND = {
    "wind_speed": {"name": "ff", "units": "m/s"},
    "wind_direction": {"name": "dd", "units": "deg"},
}


def with_stations(stations, source=MIRROR, **rest):
    return settings(archive={"source": source, "stations": stations}, **rest)


def files(**columns):
    return {"source": {"files": "obs", "columns": COLUMNS | columns}}


def test_a_run_has_no_stations_unless_they_are_asked_for():
    run = settings()
    assert run.archive.stations is None
    assert station_hours(run) == {}
    assert station_variables(run) == ()


def test_airports_report_the_weather_at_the_surface():
    assert station_variables(with_stations(IEM)) == ("T2M", "D2M", "U10", "V10", "WIND10")
    gusts = with_stations(IEM, variables=["CAPE", "GUST", "T2M"])
    assert station_variables(gusts) == ("T2M", "GUST")


def test_own_files_report_what_their_columns_are():
    assert station_variables(with_stations(files())) == ("T2M",)
    assert station_variables(with_stations(files(**WIND))) == ("T2M", "U10", "V10", "WIND10")


def test_the_hours_are_those_of_scored_forecasts_by_day():
    run = with_stations(IEM)
    wanted = station_hours(run)
    assert [time for hours in wanted.values() for time in hours] == run.compared_times()
    assert all(f"{time:%Y%m%d}" == date for date, hours in wanted.items() for time in hours)


def test_stations_to_leave_out_are_a_list_or_a_file_of_names(tmp_path):
    listed = tmp_path / "exclude.txt"
    listed.write_text("# moved in 2019\nBOI\n\nTWF  # beside a lake\n")
    for exclude in (["TWF", "BOI"], str(listed)):
        stations = with_stations(IEM | {"exclude": exclude}).archive.stations
        assert excluded_stations(stations) == {"BOI", "TWF"}


def test_a_list_of_stations_that_is_not_there_is_refused():
    stations = with_stations(IEM | {"exclude": "none.txt"}).archive.stations
    with pytest.raises(StormdrawError, match=r"exclude: none\.txt cannot be read.*one station a"):
        excluded_stations(stations)


@pytest.mark.parametrize(
    ("stations", "said"),
    [
        ({}, "networks is empty; name networks of IEM"),
        ({"networks": ["Idaho"]}, "networks: Idaho is not the name of a network of airports"),
        ({"networks": ["ID_ASOS", "ID_ASOS"]}, "give each network once"),
        ({"source": "synop"}, "source.iem: Input should be 'iem'"),
        ({"source": {"files": "obs"}}, "columns: Field required"),
        (files(temp={"name": "t"}), "temp: unknown; known ones are station, network, valid"),
        (files(T2M={"name": "t"}), "T2M: lacks units, such as K"),
        (files(T2M={"name": "t", "units": "hPa"}), "T2M: units: hPa cannot be converted to K"),
        (files(T2M={"name": "t", "units": "grad"}), "T2M: units"),
        (files(T2M={"name": "t", "units": "degX"}), "'degX' is no unit that can be converted"),
        (files(valid={"name": "t", "units": "s"}), "valid: has no units; leave units out"),
        (files(wind_speed={"name": "ff", "units": "m/s"}), "has wind_speed alone; give both"),
        (files(U10={"name": "u", "units": "m/s"}), "give U10 and V10 together"),
        (
            files(**WIND, V10={"name": "v", "units": "m/s"}),
            "has V10, which wind_speed gives as well",
        ),
        (
            {"source": {"files": "obs", "columns": {"T2M": {"name": "t", "units": "K"}}}},
            "lacks station, valid, longitude, latitude",
        ),
        (files() | IEM, "networks are those of iem; leave them out"),
        (IEM | {"tolerance_minutes": 30}, "tolerance_minutes"),
    ],
)
def test_what_gives_no_reports_is_refused(stations, said):
    with pytest.raises(StormdrawError) as error:
        with_stations(stations)
    assert "archive.stations" in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_stations_that_report_none_of_the_variables_are_refused():
    with pytest.raises(StormdrawError, match=r"this run forecasts REFC, CAPE; leave stations out"):
        with_stations(IEM, variables=["REFC", "CAPE"])


def test_the_simulated_world_has_stations_of_its_own():
    assert station_variables(with_stations({}, "simulated")) == (
        "T2M",
        "D2M",
        "U10",
        "V10",
        "WIND10",
    )
    for stations in (IEM, files()):
        with pytest.raises(StormdrawError, match="has stations of its own"):
            with_stations(stations, "simulated")
