"""Stations in the world: known errors, and the faults of real ones, which the archive finds."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import RegularGridInterpolator
from simulated_world import DOMAIN, SEED, WORLD, small_settings

from stormdraw.archive.stations import iem
from stormdraw.archive.stations.day import window, write_day
from stormdraw.archive.stations.dropped import Dropped
from stormdraw.archive.stations.full_hours import at_full_hours
from stormdraw.archive.stations.reports import read_reports
from stormdraw.archive.stations.settings import IEM_COLUMNS, STUCK_HOURS
from stormdraw.archive.stations.table import read_stations
from stormdraw.fields.winds import convergence, turned
from stormdraw.messages import opened, read_header, read_messages
from stormdraw.settings import load_settings
from stormdraw.simulated import stations
from stormdraw.simulated.base import BASE
from stormdraw.simulated.mirror import write_archive
from stormdraw.simulated.stations import CELSIUS, ERRORS, LAPSE_RATE, STUCK, StationReports

import eccodes  # isort: skip  (after stormdraw)

DATE = "20260602"
DAY = datetime(2026, 6, 2)
# Along the grid's axes; strong enough that no report is calm or variable.
WIND = (9.0, 2.0)
MANY = 384


def still_air(**changes):
    """A world of one temperature, dew point and wind."""
    values = {"T2M": 293.15, "D2M": 283.15, "U10": WIND[0], "V10": WIND[1]} | changes
    return {name: np.full(DOMAIN.shape, value) for name, value in values.items()}


@pytest.fixture
def many(monkeypatch):
    """A station for every two of the 24 x 32 points."""
    monkeypatch.setattr(stations, "_POINTS", 2)
    return StationReports(WORLD.surface, SEED, [DATE])


def reports_of(written, folder, seen):
    """What the archive reads of 36 hours of the same weather."""
    for hour in range(-STUCK_HOURS, 24):
        written.observe(seen, DAY + timedelta(hours=hour))
    written.write(folder)
    dropped = Dropped()
    table = read_reports(folder / "iem" / DATE / "SIM_ASOS.csv", IEM_COLUMNS, dropped, "SIM_ASOS")
    assert dropped.table().empty
    return table


@pytest.fixture
def reports(many, tmp_path):
    table = reports_of(many, tmp_path, still_air())
    return table[~table["station"].isin([STUCK, CELSIUS])]


def at_station(written, table, values):
    return table["station"].map(dict(zip(written.names, values, strict=True)))


def test_files_are_as_iem_writes_them(many, tmp_path):
    table = reports_of(many, tmp_path, still_air())
    text = (tmp_path / "iem" / DATE / "SIM_ASOS.csv").read_text()
    assert stations.HEADER == iem.HEADER
    first, last = window(DATE, timedelta(minutes=15))
    assert table["reported"].is_monotonic_increasing
    iem._require_reports(text, iem.Asked("SIM_ASOS", first, last), "the simulated archive")
    assert {"53", "57", "30"} == {line.split(",")[1][-2:] for line in text.splitlines()[1:]}


def test_some_reports_and_values_are_missing_and_some_special(reports):
    hours = 24 + STUCK_HOURS
    minutes = reports["reported"].dt.minute.value_counts() / (MANY - 2) / hours
    assert minutes[53] == pytest.approx(0.98, abs=0.01)
    assert minutes[57] == pytest.approx(0.08, abs=0.01)
    # Of the first hour it lies before the file's first minute.
    assert minutes[30] == pytest.approx(0.08 * (hours - 1) / hours, abs=0.01)
    for name in ("T2M", "D2M", "U10", "WIND10"):
        assert reports[name].isna().mean() == pytest.approx(0.03, abs=0.006)


def test_temperatures_have_the_error_and_lapse_that_are_stated(many, reports):
    """Of some 15,000 reports; tenths of a degree Celsius add 0.1 / sqrt(12) K."""
    above = at_station(many, reports, many.above_terrain)
    for name, value in (("T2M", 293.15), ("D2M", 283.15)):
        error = reports[name] + LAPSE_RATE * above - value
        expected = np.hypot(ERRORS[name], 0.1 / np.sqrt(12))
        assert error.std() == pytest.approx(expected, rel=0.03)
        assert error.mean() == pytest.approx(0.0, abs=0.03)
        # Independent of the height, from station to station and from hour to hour.
        assert abs(np.corrcoef(error.fillna(0), above)[0, 1]) < 0.03
        by_station = error.groupby(reports["station"]).mean().std()
        assert by_station == pytest.approx(expected / np.sqrt(1.14 * 36 * 0.97), rel=0.2)


def test_winds_follow_the_compass_and_have_the_error_that_is_stated(many, reports):
    """Rounding adds 1 / sqrt(12) knots along the wind and 10 / sqrt(12) degrees across it."""
    angle = convergence(DOMAIN.window, many.places.longitude, many.places.latitude)
    east, north = turned(*WIND, np.cos(-angle), np.sin(-angle))
    speed = float(np.hypot(*WIND))
    unit = np.array([east, north]) / speed
    error = [
        reports[name] - at_station(many, reports, values)
        for name, values in (("U10", east), ("V10", north))
    ]
    along, across = (
        sum(error[k] * at_station(many, reports, way[k]) for k in (0, 1))
        for way in (unit, np.array([-unit[1], unit[0]]))
    )
    knots, degrees = 0.5144 / np.sqrt(12), np.deg2rad(10 / np.sqrt(12)) * speed
    assert along.std() == pytest.approx(np.hypot(ERRORS["U10"], knots), rel=0.03)
    assert across.std() == pytest.approx(np.hypot(ERRORS["V10"], degrees), rel=0.04)
    assert [along.mean(), across.mean()] == pytest.approx([0.0, 0.0], abs=0.1)


def test_light_winds_are_calm_or_variable(many, tmp_path):
    table = reports_of(many, tmp_path, still_air(U10=0.5, V10=0.5))
    calm = table["WIND10"] == 0.0
    assert (table.loc[calm, ["U10", "V10"]] == 0.0).all(axis=None)
    assert 0.3 < calm.mean() < 0.9
    assert table.loc[~calm, "WIND10"].min() >= 3 * 1852 / 3600 - 1e-9
    without = table["U10"].isna() & table["WIND10"].notna()
    assert without.mean() > 0.02
    assert table.loc[without, "WIND10"].max() <= 6 * 1852 / 3600 + 1e-9


def test_rain_counts_from_the_routine_report_on(many, tmp_path):
    """25.4 kg/m2 are an inch; the special report at 57 has none of it, and 0.1 is a trace."""
    table = reports_of(many, tmp_path, still_air(APCP=25.4))
    minutes = table["reported"].dt.minute
    assert table.loc[minutes != 57, "APCP"].to_numpy() == pytest.approx(25.4)
    assert (table.loc[minutes == 57, "APCP"] == 0.0).all()
    hourly = at_full_hours(table, timedelta(minutes=15))
    routine = table[minutes == 53]
    with_routine = hourly.merge(
        routine.assign(valid=routine["reported"].dt.round("h"))[["station", "valid"]]
    )
    assert (with_routine["reported"].dt.minute == 57).any()
    assert with_routine["APCP"].to_numpy() == pytest.approx(25.4)


def test_a_little_rain_is_a_trace(many, tmp_path):
    assert (reports_of(many, tmp_path, still_air(APCP=0.1))["APCP"] == 0.0).all()
    assert ",T\n" in (tmp_path / "iem" / DATE / "SIM_ASOS.csv").read_text()


def test_stations_lie_in_the_window_above_and_below_its_terrain(many):
    x, y = DOMAIN.window.from_longitude_latitude(*many.places.longitude_latitude())
    window = DOMAIN.window
    assert window.x[1] <= x.min() < x.max() <= window.x[-2]
    assert window.y[1] <= y.min() < y.max() <= window.y[-2]
    terrain = DOMAIN.seen(WORLD.surface.terrain)
    below = RegularGridInterpolator((window.y, window.x), terrain)(np.stack([y, x], axis=-1))
    np.testing.assert_allclose(many.elevation - below, many.above_terrain, atol=0.01)
    assert many.above_terrain.std() == pytest.approx(120.0, rel=0.15)
    assert np.abs(many.above_terrain).max() <= 300.0


def test_a_small_window_has_enough_stations_for_a_check_against_neighbours():
    assert StationReports(WORLD.surface, SEED, []).count == 12


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(settings, folder of the archive, table, what was dropped) of a small world, by the rule."""
    settings = small_settings(
        periods={
            "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T11:00"},
            "test": {"start": "2026-06-01T13:00", "end": "2026-06-01T21:00"},
        },
        cases={"every_hours": 1},
        ensembles={"systems": [{"name": "perfect", "method": "perfect"}]},
        archive=small_settings().archive.model_dump() | {"reference": None, "stations": {}},
    )
    folder = tmp_path_factory.mktemp("stations")
    write_archive(settings, folder / "archive", folder / "world.nc")
    path, quality = folder / "20260601.parquet", folder / "quality.csv"
    write_day(settings, "20260601", path, quality, simulated=folder / "archive")
    return settings, folder, read_stations([path]), pd.read_csv(quality)


def test_the_stuck_sensor_and_the_station_in_celsius_are_dropped_and_nothing_else(run):
    settings, _, table, dropped = run
    assert sorted(set(table["valid"])) == settings.compared_times()
    for station in (STUCK, CELSIUS):
        rows = table[table["station"] == station]
        assert len(rows) > 5
        assert rows[["T2M", "D2M"]].isna().all(axis=None)
        assert rows["WIND10"].notna().any()
    reasons = dropped.groupby(["station", "reason"]).size()
    assert reasons[STUCK].index.tolist() == ["stuck"]
    # Where both are in Celsius, the dew point is that of air too cold as well.
    assert reasons[CELSIUS].index.tolist() == ["neighbours"]
    assert set(dropped["station"]) == {STUCK, CELSIUS}


def test_reports_are_those_of_the_analyses_at_the_height_of_the_station(run):
    """Some 90 reports, at full hours, by reading GRIB and interpolating with another library."""
    _, folder, table, _ = run
    errors = []
    for time, rows in table.groupby("valid"):
        fields = {}
        for message in read_messages(folder / "archive" / BASE.path(time, 0)):
            with opened(message) as handle:
                header = read_header(handle)
                if header.variable is not None and header.variable.grib.instantaneous:
                    values = eccodes.codes_get_values(handle).reshape(18, 21)
                    fields.setdefault(header.variable.name, values)
        grid = stations_grid()
        x, y = grid.from_longitude_latitude(rows["longitude"], rows["latitude"])
        at = np.stack([np.asarray(y), np.asarray(x)], axis=-1)
        seen = {
            name: RegularGridInterpolator((grid.y, grid.x), fields[name])(at)
            for name in ("T2M", "OROG")
        }
        lower = LAPSE_RATE * (rows["elevation"].to_numpy() - seen["OROG"])
        errors.append(rows["T2M"].to_numpy() + lower - seen["T2M"])
    error = np.concatenate(errors)
    assert np.nanstd(error) == pytest.approx(ERRORS["T2M"], rel=0.25)
    assert np.nanmean(error) == pytest.approx(0.0, abs=0.25)


def stations_grid():
    from stormdraw.simulated.domain import domain_of

    return domain_of((500, 518), (900, 921)).window


def test_the_same_seed_gives_the_same_reports_and_stations_do_not_change_the_world(run, tmp_path):
    settings, folder, _, _ = run
    write_archive(settings, tmp_path / "again", tmp_path / "world.nc")
    name = "iem/20260601/SIM_ASOS.csv"
    assert (tmp_path / "again" / name).read_bytes() == (folder / "archive" / name).read_bytes()
    config = settings.model_dump(mode="json", exclude={"archive": {"stations"}})
    write_archive(load_settings(config), tmp_path / "without", tmp_path / "world.nc")
    assert not (tmp_path / "without" / "iem").exists()
    analysis = BASE.path(datetime(2026, 6, 1, 15), 0)
    assert (tmp_path / "without" / analysis).read_bytes() == (
        folder / "archive" / analysis
    ).read_bytes()
