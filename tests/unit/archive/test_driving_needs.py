"""Which forecasts of the driving model a run fetches, and what is refused before it does."""

import itertools
from datetime import datetime

import pytest
from archive_mirror import settings

from stormdraw.archive.base_model import ALWAYS
from stormdraw.archive.driving_needs import (
    driving_variables,
    learnt_hours,
    needed_forecasts,
    schedule_of,
)
from stormdraw.archive.driving_registry import driving_model
from stormdraw.archive.driving_schedule import Schedule
from stormdraw.archive.public import FIRST_RUNS
from stormdraw.archive.sources import Cloud, candidates, inventories_of, stored_path
from stormdraw.archive.wanted import dates, requests, used_sources
from stormdraw.errors import StormdrawError
from stormdraw.simulated import SIMULATED_DRIVING
from stormdraw.times import hours

DAY = {
    "training": {"start": "2026-06-01T00:00", "end": "2026-06-02T05:00"},
    "test": {"start": "2026-06-04T06:00", "end": "2026-06-04T09:00"},
}
LONG = {"start": "2026-06-04T06:00", "end": "2026-06-08T06:00"}
AWS = Cloud(("aws",))


def driven(model="gfs", source=("aws",), leads=(1, 3), **changes):
    driving = {"model": model} | changes.pop("driving", {})
    changes.setdefault("periods", DAY)
    archive = {"source": list(source) if source != "simulated" else source, "driving": driving}
    return settings(archive=archive, leads=list(leads), **changes)


def driven_by_gefs(members):
    persistence = {"name": "persistence", "method": "baseline", "kind": "persistence"}
    return driven("gefs", ensembles={"members": members, "systems": [persistence]})


def test_without_a_driving_model_nothing_is_wanted():
    assert dates(settings(), "driving") == []
    assert "driving" in used_sources(settings())


def test_training_hours_want_the_ages_that_forecasting_has_of_them():
    """By brute force: all initial hours whose forecasts reach the hour, and their newest cycle."""
    run = driven()
    expected = set()
    for valid, lead in itertools.product(learnt_hours(run), (1, 2, 3)):
        init = valid - hours(lead)
        cycle = init - hours(5)
        while cycle.hour % 6:
            cycle -= hours(1)
        expected.add((cycle, (valid - cycle) // hours(1)))
    init = datetime(2026, 6, 4, 6)
    expected |= {(datetime(2026, 6, 4), lead) for lead in (7, 8, 9)}
    assert {(one.cycle, one.lead) for one in needed_forecasts(run)} == expected
    # The newest may be five to ten hours old, and forecasts go on for three hours.
    assert {one.lead for one in needed_forecasts(run)} == set(range(6, 14))
    assert init in run.initial_times()


def test_the_first_hour_of_a_period_is_no_target():
    run = driven(
        periods=DAY
        | {
            "validation": {"start": "2026-06-05T00:00", "end": "2026-06-05T02:00"},
            "test": {"start": "2026-06-07T06:00", "end": "2026-06-07T09:00"},
        }
    )
    learnt = learnt_hours(run)
    assert (learnt[0], len(learnt)) == (datetime(2026, 6, 1, 1), 29 + 2)
    assert datetime(2026, 6, 5) not in learnt


def test_files_are_listed_by_the_day_of_their_cycle():
    run = driven()
    assert dates(run, "driving") == ["20260531", "20260601", "20260604"]
    for date in dates(run, "driving"):
        for request in requests(run, "driving", date):
            assert f"{request.init:%Y%m%d}" == date
            assert (request.model, request.product, request.whole) == ("gfs", "pgrb2.0p25", True)
            assert request.variables == driving_variables(run)
            assert request.init.hour in (0, 6, 12, 18)


def test_files_have_the_names_of_the_public_buckets():
    (first, *_) = requests(driven(), "driving", "20260604")
    (address,) = candidates(first, AWS).values()
    path = "gfs.20260604/00/atmos/gfs.t00z.pgrb2.0p25.f007"
    assert address == f"https://noaa-gfs-bdp-pds.s3.amazonaws.com/{path}"
    assert inventories_of(first, address)[0] == f"{address}.idx"
    assert stored_path(first) == "gfs.20260604/gfs.t00z.pgrb2.0p25.f007"


def test_gefs_wants_three_hourly_leads_of_the_members_that_drive():
    run = driven_by_gefs(members=4)
    of_case = requests(run, "driving", "20260604")
    # Hours 7, 8 and 9 lie between 6 and 9.
    assert {request.lead for request in of_case} == {6, 9}
    assert {request.member for request in of_case} == {"p01", "p02", "p03", "p04"}
    (address,) = candidates(of_case[0], AWS).values()
    assert address.endswith("gefs.20260604/00/atmos/pgrb2sp25/gep01.t00z.pgrb2s.0p25.f006")
    # One of each cycle to learn from.
    learnt = requests(run, "driving", "20260601")
    by_cycle = {(request.init, request.member) for request in learnt}
    assert len(by_cycle) == len({init for init, _ in by_cycle}) == 4


@pytest.mark.parametrize("model", ["gfs", "gefs"])
def test_rain_of_another_interval_does_not_drive(model):
    """GFS's at 8 h is over two hours, since 6 h; GEFS's at 6 h over six."""
    with pytest.raises(StormdrawError, match=f"APCP is a statistic over 1 h, which {model} does"):
        driven(model, driving={"variables": ["T2M", "APCP"]})


@pytest.mark.parametrize(
    ("name", "where"), [("T850", "850 mb"), ("Z500", "500 mb"), ("TNAT", "1 hybrid level")]
)
def test_levels_that_gefs_has_no_field_on_are_refused(name, where):
    """Its files of 0.25 degree are of the surface and of the column; GFS has pressure levels."""
    levels = {"driving": {"variables": ["T2M", name]}}
    if name == "TNAT":
        grib = {"discipline": 0, "category": 0, "number": 0, "abbreviation": "TMP"}
        row = {"long_name": "temperature", "units": "K", "lower": 200, "upper": 330}
        row |= {"grib": grib | {"surfaces": [105], "level": 1}, "product": "nat", "precision": 0.1}
        levels["variable_table"] = {name: row}
    with pytest.raises(StormdrawError, match=f"variables: {name} is at {where}, where gefs has no"):
        driven("gefs", **levels)
    assert driving_variables(driven("gfs", **levels)) == ("T2M", name)


def test_the_last_hours_rain_of_an_earlier_run_drives():
    run = driven("hrrr", driving={"variables": ["T2M", "APCP"]})
    assert requests(run, "driving", "20260604")[0].variables == ("T2M", "APCP")
    six_hours = {"APCP": {"grib": {"hours": 6}}}
    with pytest.raises(StormdrawError, match="APCP is a statistic over 6 h, which hrrr does not"):
        driven("hrrr", driving={"variables": ["APCP"]}, variable_table=six_hours)


def test_members_beyond_thirty_want_no_more_files():
    of_case = requests(driven_by_gefs(members=100), "driving", "20260604")
    assert len(of_case) == len(set(of_case)) == 60


def test_an_earlier_run_of_the_base_model():
    run = driven("hrrr", driving={"latency_hours": 2, "variables": ["T2M"]})
    of_case = requests(run, "driving", "20260604")
    assert {(one.model, one.product, one.init.hour) for one in of_case} == {("hrrr", "sfc", 4)}
    assert [one.lead for one in of_case] == [3, 4, 5]


def test_an_earlier_run_of_any_base_model_drives_it():
    """RRFS, whose run of 12 UTC is published two hours later, has its own products and options."""
    start = datetime(2026, 9, 2)
    periods = {
        "training": {"start": start, "end": start + hours(3)},
        "test": {"start": start + hours(72), "end": start + hours(80)},
    }
    driving = {"model": "rrfs", "latency_hours": 2, "variables": ["T2M", "T850"]}
    archive = {"source": ["aws"], "model": "rrfs", "driving": driving}
    run = settings(archive=archive, periods=periods, leads=[1, 2, 3])
    of_case = requests(run, "driving", "20260904")
    assert {(one.product, one.variables) for one in of_case} == {
        ("2dfld", ("T2M",)),
        ("prslev", ("T850",)),
    }
    assert {one.options for one in of_case} == {(("domain", "conus"),)}
    assert {(one.init.hour, one.lead) for one in of_case} == {(22, lead) for lead in (3, 4, 5)}
    (address, *_) = candidates(of_case[0], AWS).values()
    assert "rrfs.20260904/22/rrfs.t22z.2dfld.3km.f003.conus.grib2" in address


def test_an_earlier_run_of_alaska_starts_every_three_hours():
    schedule = Schedule(driving_model("hrrrak"), 2, 12)
    start = datetime(2026, 9, 2, 4)
    # That of 00 UTC is published at 02 UTC, and those of 03 UTC run 18 h.
    assert schedule.newest_cycle(start) == datetime(2026, 9, 2)
    assert schedule.newest_cycle(start + hours(1)) == datetime(2026, 9, 2, 3)


def test_the_usual_variables_are_those_of_the_model_and_of_the_world():
    assert driving_variables(driven()) == driving_model("gfs").variables
    simulated = driving_variables(driven(source="simulated"))
    assert simulated
    assert set(simulated) <= set(SIMULATED_DRIVING)
    named = driven(driving={"variables": ["PWAT"]})
    assert driving_variables(named) == ("PWAT",)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"model": "ifs"}, "archive.driving.model: .*'gefs', 'gfs', 'hrrr', 'hrrrak' or 'rrfs'"),
        ({"driving": {"variables": ["U10"]}}, "give U10 and V10 together"),
        ({"driving": {"variables": ["T2M", "T2M"]}}, "give each variable once: T2M, T2M"),
        ({"driving": {"variables": ["T9999"]}}, "unknown variable 'T9999'"),
        ({"driving": {"latency_hours": -1}}, "latency_hours"),
        ({"model": "gefs", "source": "simulated"}, "the simulated archive has gfs and no gefs"),
        (
            {"source": "simulated", "driving": {"variables": ["VIS"]}},
            "the simulated gfs has .* and no VIS; leave it out",
        ),
        (
            {"model": "hrrr", "leads": [47], "periods": DAY | {"test": LONG}},
            "no run of hrrr that was published at .* is long enough for a lead of 47 h",
        ),
    ],
    ids=str,
)
def test_what_cannot_drive_is_refused_in_one_line(changes, error):
    with pytest.raises(StormdrawError, match=error) as raised:
        driven(**changes)
    assert "\n" not in str(raised.value)


def test_hours_before_the_archive_are_refused():
    """The first learnt hour is 08 UTC, three hours from 05 UTC, when the first run appeared."""
    start = datetime(2021, 1, 1, 7)
    driven(periods=DAY | {"training": {"start": start, "end": start + hours(3)}})
    start -= hours(1)
    with pytest.raises(
        StormdrawError, match="needs gfs of 2020-12-31 18 UTC, and aws has it since"
    ):
        driven(periods=DAY | {"training": {"start": start, "end": start + hours(3)}})


def test_an_archive_without_the_model_is_refused(monkeypatch):
    monkeypatch.setitem(FIRST_RUNS, "gfs", {"nomads": ALWAYS})
    with pytest.raises(StormdrawError, match=r"aws has no gfs; add nomads to archive\.source"):
        driven()


def test_cases_from_before_the_long_runs_are_refused():
    """HRRR ran 36 h until December 2020, and 48 h after: leads of 40 h are in training alone."""
    start = datetime(2021, 6, 1)
    periods = {"training": {"start": start, "end": start + hours(3)}}
    later = {"test": {"start": start + hours(96), "end": start + hours(144)}}
    young = {"leads": [40], "driving": {"latency_hours": 2}}
    assert driven("hrrr", periods=periods | later, **young)
    start = datetime(2019, 6, 1)
    earlier = {"test": {"start": start, "end": start + hours(48)}}
    with pytest.raises(StormdrawError, match=r"no run of hrrr .* 2019-06-01 .* lead of 40 h"):
        driven("hrrr", periods=periods | earlier, **young)


def test_calibration_needs_the_forecasts_of_every_member():
    """One member of each cycle is learnt from; cases of the calibration are drawn by all."""
    periods = DAY | {"validation": {"start": "2026-06-02T18:00", "end": "2026-06-03T06:00"}}
    system = {"name": "m", "method": "one_step", "model": "crps_unet"}

    def members(**own):
        ensembles = {"members": 4, "systems": [system | own], "calibration_cases": 1}
        run = driven("gefs", periods=periods, models=["crps_unet"], ensembles=ensembles)
        of_cases = {schedule_of(run).newest_cycle(init) for init in run.calibration_times()}
        needed = needed_forecasts(run)
        return {(one.cycle, one.member) for one in needed if one.cycle in of_cases}, of_cases

    alone, cycles = members()
    calibrated, _ = members(calibrate=True)
    assert len(alone) == len(cycles) > 0
    assert calibrated >= {(cycle, member) for cycle in cycles for member in (1, 2, 3, 4)}


def test_a_run_that_nothing_drives_has_no_schedule():
    with pytest.raises(ValueError, match=r"has no archive\.driving"):
        schedule_of(settings())


def test_another_base_model_does_not_drive():
    archive = {"source": ["aws"], "model": "hrrrak", "driving": {"model": "hrrr"}}
    with pytest.raises(StormdrawError, match=r"hrrr drives as an earlier run .* is hrrrak"):
        settings(archive=archive, periods=DAY)


def test_fields_of_the_base_model_are_in_two_products():
    run = driven("hrrr", driving={"variables": ["T2M", "Q850"]})
    of_case = requests(run, "driving", "20260604")
    assert {(one.product, one.variables) for one in of_case} == {
        ("sfc", ("T2M",)),
        ("prs", ("Q850",)),
    }


def test_the_schedule_is_that_of_the_configuration():
    test = DAY | {"test": LONG}
    run = driven(driving={"latency_hours": 7}, leads=(2, 9), seed=6, periods=test)
    schedule = schedule_of(run)
    assert (schedule.latency_hours, schedule.longest_lead, schedule.run_seed) == (7, 9, 6)
