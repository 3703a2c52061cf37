import itertools
import re
import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import netCDF4
import numpy as np
import pytest
import xarray as xr
from taken import to_make, write

from stormdraw.archive.audit import audit, require_enough
from stormdraw.archive.base_model import base_model
from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.fetch import fetch_day
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.systems.climatology import Climatology, write_climatology
from stormdraw.errors import StormdrawError
from stormdraw.fields.forecasts import Cycle, regrid_forecast, regrid_members
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.target import Target
from stormdraw.fields.writing import Destination
from stormdraw.grids import Grid
from stormdraw.scores.case import score_case
from stormdraw.scores.missing import missing_data
from stormdraw.scores.points import CommonPoints, write_points
from stormdraw.settings import load_settings
from stormdraw.simulated.mirror import write_archive

STATE = ["T2M", "U10", "V10"]
ROWS = {name: name for name in STATE}
START = datetime(2026, 6, 1)
HOURS = [START + timedelta(hours=hour) for hour in range(48)]


def case(init, leads=(1, 2)):
    return Case("a_baseline", "baseline", init, list(leads), STATE)


def test_persistence_is_the_present_at_every_lead(day_files, tmp_path):
    init = START + timedelta(hours=30)
    write("persistence", case(init), tmp_path / "p.nc", analyses=[day_files[1]])
    with xr.open_dataset(tmp_path / "p.nc") as dataset:
        assert dataset.sizes["member"] == 1
        assert (dataset["T2M"].values == 30.0).all()
        assert (dataset["V10"].values == 230.0).all()


def test_persistence_without_an_initial_state_is_an_error(day_files, tmp_path):
    with pytest.raises(StormdrawError, match="no field at 2026-06-09 00 UTC"):
        write("persistence", case(datetime(2026, 6, 9)), tmp_path / "p.nc", analyses=day_files)
    assert not (tmp_path / "p.nc").exists()


def test_climatology_draws_the_same_hours_of_the_day(day_files, tmp_path):
    """Cases at 05 UTC + 1 h: training at 05, 06 and 07 UTC of both days, told by their values."""
    init = datetime(2026, 6, 3, 5)
    made = to_make(case(init, [1]), tmp_path / "c.nc", analyses=day_files)
    write_climatology(made, HOURS, Climatology())
    with xr.open_dataset(tmp_path / "c.nc") as dataset:
        assert sorted(dataset["T2M"].values[:, 0, 0, 0]) == [5, 6, 7, 29, 30, 31]


def test_climatology_never_sees_the_test(day_files, tmp_path):
    init = datetime(2026, 6, 3, 5)
    made = to_make(case(init, [1]), tmp_path / "c.nc", analyses=day_files)
    write_climatology(made, HOURS, Climatology(12))
    with xr.open_dataset(tmp_path / "c.nc") as dataset:
        assert sorted(dataset["T2M"].values[:, 0, 0, 0]) == list(range(48))


def test_leads_with_fewer_members_are_filled_with_missing_ones(day_files, tmp_path):
    training = HOURS[:31]  # 00 to 06 UTC twice, the rest of the day once
    init = datetime(2026, 6, 3, 4)
    made = to_make(case(init), tmp_path / "c.nc", analyses=day_files)
    write_climatology(made, training, Climatology())
    with xr.open_dataset(tmp_path / "c.nc") as dataset:
        valid = np.isfinite(dataset["T2M"].values[..., 0, 0]).sum(axis=0)
        assert valid.tolist() == [6, 5]  # 04-06 UTC twice; 05-06 twice and 07 once


def test_a_climatology_of_nothing_is_an_error(day_files, tmp_path):
    with netCDF4.Dataset(day_files[0], "a") as dataset:
        dataset.setncattr("incomplete_times", "2026060105")
    with pytest.raises(StormdrawError, match="every training hour is absent or has missing points"):
        made = to_make(case(datetime(2026, 6, 3, 4)), tmp_path / "c.nc", analyses=day_files)
        write_climatology(made, HOURS[5:6], Climatology())
    assert not (tmp_path / "c.nc").exists()


def test_window_wraps_around_midnight():
    near = Climatology(window_hours=1).times(HOURS, datetime(2026, 6, 3, 0))
    assert [time.hour for time in near] == [0, 1, 23, 0, 1, 23]


def hourly_days(first, days):
    return [first + timedelta(hours=hour) for hour in range(24 * days)]


def test_a_year_gives_sixty_members_evenly_over_the_days_of_the_season():
    """91 days lie within 45 of the valid one: 60 of them, no two more than two days apart."""
    valid = datetime(2026, 6, 10, 12)
    found = Climatology().times(hourly_days(datetime(2025, 6, 1), 365), valid)
    assert len(found) == 60
    assert {time.hour for time in found} == {12}
    season = [
        *hourly_days(datetime(2025, 6, 1), 55),  # to 25 July
        *hourly_days(datetime(2026, 4, 26), 36),  # to 31 May
    ]
    assert set(found) <= set(season)
    days = [time.date() for time in found]
    gaps = [(later - day).days for day, later in itertools.pairwise(days) if later.year == day.year]
    assert set(gaps) == {1, 2}
    assert gaps.count(1) == pytest.approx(gaps.count(2), abs=2)


def test_days_that_are_few_give_their_nearest_hours_first():
    """Of 20 days: the valid hour of all, the hour before of all, the hour after of every other."""
    first = datetime(2026, 6, 1)
    found = Climatology(members=50).times(hourly_days(first, 20), first + timedelta(days=30))
    by_hour = {hour: [time.day for time in found if time.hour == hour] for hour in (23, 0, 1)}
    assert [len(by_hour[hour]) for hour in (0, 23, 1)] == [20, 20, 10]
    assert {later - day for day, later in itertools.pairwise(by_hour[1])} == {2}


@pytest.mark.parametrize(
    ("valid", "expected"),
    [
        # Around New Year, and from a leap year to another year.
        (datetime(2026, 1, 2, 6), datetime(2024, 12, 20)),
        (datetime(2026, 3, 1, 6), datetime(2024, 2, 20)),
        # Training saw neither June nor anything near.
        (datetime(2026, 6, 15, 6), None),
    ],
)
def test_a_season_is_a_part_of_the_year_of_any_year(valid, expected):
    times = [datetime(2024, 2, 20), datetime(2024, 12, 20)]
    training = [time for first in times for time in hourly_days(first, 1)]
    found = Climatology(season_days=30).times(training, valid)
    days = {time.replace(hour=0) for time in found}
    assert days == ({expected} if expected else set(times))
    assert {time.hour for time in found} == {5, 6, 7}


@pytest.mark.parametrize("length", [17, 40, 48])
@pytest.mark.parametrize("members", [5, 60])
def test_the_largest_climatology_is_known_beforehand(length, members):
    climatology = Climatology(window_hours=2, members=members)
    training = HOURS[1:length]
    for valid in (HOURS[:24], HOURS[3:5], HOURS[23:25]):
        sizes = [len(climatology.times(training, time)) for time in valid]
        assert climatology.most(training, valid) == max(sizes)


def test_an_hour_never_seen_falls_back_on_all():
    training = HOURS[1:17]
    assert Climatology().times(training, datetime(2026, 6, 1, 21)) == training


@pytest.fixture(scope="module")
def hrrr_archive(tmp_path_factory):
    """A simulated archive with HRRR's forecasts of one case, no HREF, and its settings."""
    settings = load_settings(
        {
            "title": "HRRR against its own analysis",
            "periods": {
                "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T00:00"},
                "test": {"start": "2026-06-01T02:00", "end": "2026-06-01T04:00"},
            },
            "leads": [1, 2],
            "archive": {
                "simulated": {"rows": [500, 518], "columns": [900, 921], "spin_up_hours": 0}
            },
            "ensembles": {
                "systems": [
                    {"name": "hrrr", "method": "baseline", "kind": "hrrr"},
                    {"name": "lagged", "method": "baseline", "kind": "lagged", "ages": [0, 1, 2]},
                ]
            },
        }
    )
    folder = tmp_path_factory.mktemp("archive")
    write_archive(settings, folder / "mirror", folder / "world.nc")
    return settings, folder / "mirror"


def fetched(hrrr_archive, folder):
    """The forecast of the case as fields on the target grid."""
    settings, mirror = hrrr_archive
    manifest = folder / "hrrr_forecast" / "20260601" / "manifest.csv"
    fetch_day(settings, "hrrr_forecast", "20260601", manifest, mirror=mirror)
    target = HRRR.crop(slice(502, 516), slice(905, 915))
    output = folder / "fields.nc"
    cycle = Cycle(datetime(2026, 6, 1, 2), [1, 2], STATE)
    to = Destination(output, folder / "suspicious.csv", settings.fields, {})
    regrid_forecast(manifest, cycle, base_model("hrrr").run(cycle.init), "HRRR", Target(target), to)
    return output


def test_hrrr_forecasts_are_fetched_cropped_and_written(hrrr_archive, tmp_path):
    forecast = fetched(hrrr_archive, tmp_path)
    write("base_model", case(datetime(2026, 6, 1, 2)), tmp_path / "hrrr.nc", forecasts=forecast)
    with xr.open_dataset(tmp_path / "hrrr.nc") as dataset, xr.open_dataset(forecast) as fields:
        assert dataset["T2M"].shape == (1, 2, 14, 10)
        np.testing.assert_array_equal(dataset["T2M"].values[0], fields["T2M"].values)
        # It moves on from hour to hour, in the range of summer temperatures.
        assert 280.0 < fields["T2M"].values.min() < fields["T2M"].values.max() < 315.0
        assert not np.array_equal(fields["T2M"].values[0], fields["T2M"].values[1])
        speed = np.hypot(fields["U10"].values, fields["V10"].values)
        np.testing.assert_allclose(dataset["WIND10"].values[0], speed, rtol=1e-6)
    longer = case(datetime(2026, 6, 1, 2), [1, 2, 3])
    with pytest.raises(StormdrawError, match="has forecasts of 1, 2 h, but not of 3 h"):
        write("base_model", longer, tmp_path / "longer.nc", forecasts=forecast)


def lenient(settings, **archive):
    """The same, and a run goes on without what the archive lacks."""
    archive = settings.archive.model_copy(update={"missing": "skip"} | archive)
    return settings.model_copy(update={"archive": archive})


def without(mirror, folder, *names):
    """A copy of an archive that lacks HRRR's files of these names."""
    shutil.copytree(mirror, folder)
    remove(folder, *names)
    return folder


def remove(mirror, *names):
    for name in names:
        for path in mirror.rglob(f"hrrr.{name}*"):
            path.unlink()


def test_an_absent_hrrr_forecast_is_a_missing_lead(hrrr_archive, tmp_path):
    holed = without(hrrr_archive[1], tmp_path / "mirror", "t02z.wrfsfcf02")
    forecast = fetched((lenient(hrrr_archive[0]), holed), tmp_path)
    write("base_model", case(datetime(2026, 6, 1, 2)), tmp_path / "hrrr.nc", forecasts=forecast)
    with xr.open_dataset(tmp_path / "hrrr.nc") as dataset:
        assert np.isfinite(dataset["T2M"].sel(lead=1)).all()
        assert np.isnan(dataset["T2M"].sel(lead=2)).all()
    with pytest.raises(StormdrawError, match=r"2026-06-01 02 UTC \+ 2 h: not in the archive"):
        fetched((hrrr_archive[0], holed), tmp_path / "strict")


def test_a_case_without_hrrrs_run_is_a_stated_gap_and_counts_as_absent(hrrr_archive, tmp_path):
    """As much as a reference without members: no point is scored, and missing.csv says so."""
    settings = lenient(hrrr_archive[0])
    holed = without(hrrr_archive[1], tmp_path / "mirror", "t02z.wrfsfcf01", "t02z.wrfsfcf02")
    forecast = fetched((settings, holed), tmp_path)
    ensemble, points, statistics = (tmp_path / name for name in ("hrrr.nc", "points.nc", "s.nc"))
    write("base_model", case(datetime(2026, 6, 1, 2)), ensemble, forecasts=forecast)
    write_points([ensemble], [1, 2], points, may_be_missing=True)
    assert not CommonPoints(points).at("T2M", 1).any()
    truth = tmp_path / "truth.nc"
    with xr.open_dataset(fetched(hrrr_archive, tmp_path / "whole")) as fields:
        times = xr.DataArray(np.array(HOURS[3:5], "M8[ns]"), dims="time")
        with written_in_parts(truth, Grid.of(fields), {"time": times}, ROWS, {}) as file:
            for name in STATE:
                file[name][:] = fields[name].values
    score_case(
        ensemble, [truth], statistics, 0, in_common=CommonPoints(points), may_be_missing=True
    )
    missing = missing_data({"hrrr": [statistics]})
    assert sorted({(row.lead_hours, row.absent_members) for row in missing.itertuples()}) == [
        (1, 1),
        (2, 1),
    ]
    assert set(missing["variable"]) == {*STATE, "WIND10"}
    table = audit(
        {"hrrr_forecast": [tmp_path / "hrrr_forecast/20260601/manifest.csv"]}, lambda *_: 0
    )
    with pytest.raises(StormdrawError, match="2 of 2 files of hrrr_forecast are absent"):
        require_enough(table, settings)
    require_enough(table, lenient(settings, missing_limit=1.0))


@pytest.mark.parametrize("missing", ["fail", "skip"])
def test_one_lagged_run_at_least_is_needed_at_each_lead(hrrr_archive, tmp_path, missing, caplog):
    """Whatever `missing` says, a run more or less is a member more or less and does not count."""
    settings = lenient(hrrr_archive[0], missing=missing)
    holed = without(hrrr_archive[1], tmp_path / "mirror", "t02z.wrfsfcf02", "t01z.wrfsfcf03")
    manifest = tmp_path / "hrrr_lagged" / "20260601" / "manifest.csv"
    fetch_day(settings, "hrrr_lagged", "20260601", manifest, mirror=holed)
    require_enough(audit({"hrrr_lagged": [manifest]}, lambda *_: 0), settings)
    remove(holed, "t00z.wrfsfcf04")
    told = (
        r"HRRR_LAGGED of 2026-06-01 02 UTC \+ 2 h: 0 of 3 members are there and one is needed; "
        "absent: hrrr_00h, hrrr_01h, hrrr_02h"
    )
    if missing == "fail":
        with pytest.raises(StormdrawError, match=told):
            fetch_day(settings, "hrrr_lagged", "20260601", manifest, mirror=holed)
    else:
        fetch_day(settings, "hrrr_lagged", "20260601", manifest, mirror=holed)
        assert re.search(f"{told}; no system is scored there", caplog.text)


def test_lagged_runs_are_members_that_are_valid_at_the_same_times(hrrr_archive, tmp_path):
    """Of the runs of 02, 01 and 00 UTC the one of 01 UTC has lost what it says of 04 UTC."""
    settings, mirror = hrrr_archive
    holed = without(mirror, tmp_path / "mirror", "t01z.wrfsfcf03")
    init = datetime(2026, 6, 1, 2)
    manifest = tmp_path / "hrrr_lagged" / "20260601" / "manifest.csv"
    fetch_day(settings, "hrrr_lagged", "20260601", manifest, mirror=holed)
    target = HRRR.crop(slice(502, 516), slice(905, 915))
    runs = base_model("hrrr").runs(init, settings.ages("hrrr_lagged"))
    to = Destination(tmp_path / "fields.nc", tmp_path / "suspicious.csv", settings.fields, {})
    cycle = Cycle(init, [1, 2], STATE)
    regrid_members(manifest, cycle, runs, "the lagged HRRR", Target(target), to)
    lagged = settings.ensembles.system("lagged")
    made = to_make(case(init), tmp_path / "lagged.nc", forecasts=to.output)
    for names in (["hrrr_00h", "hrrr_01h", "hrrr_02h"], ["hrrr_00h", "hrrr_02h"]):
        chosen = lagged.model_copy(update={"ages": [int(name[5:7]) for name in names]})
        chosen.write(replace(made, run=settings))
        with xr.open_dataset(tmp_path / "lagged.nc") as dataset:
            assert dataset["member"].values.tolist() == names
            there = np.isfinite(dataset["T2M"].values).all(axis=(2, 3)).tolist()
            assert there == [[True, name != "hrrr_01h"] for name in names]
    with (
        xr.open_dataset(tmp_path / "lagged.nc") as dataset,
        xr.open_dataset(fetched(hrrr_archive, tmp_path)) as own,
    ):
        np.testing.assert_array_equal(dataset["T2M"].values[0], own["T2M"].values)
        assert np.abs(dataset["T2M"].values[1] - dataset["T2M"].values[0]).max() > 0.1
