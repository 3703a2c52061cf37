"""Which files are wanted: hand-worked cases."""

import dataclasses
from datetime import datetime

import pytest
from archive_mirror import STATE, reference, settings

from stormdraw.archive.request import FileRequest
from stormdraw.archive.wanted import dates, minimum_members, requests
from stormdraw.errors import StormdrawError
from stormdraw.provenance import digest


def test_analyses_are_of_every_hour_of_every_period():
    wanted = requests(settings(), "hrrr", "20260601")
    assert [request.init.hour for request in wanted] == [0, 1, 6, 7]
    start = datetime(2026, 6, 1)
    assert wanted[0] == FileRequest("hrrr", "sfc", (), start, 0, "", STATE, None, whole=True)
    assert dates(settings(), "hrrr") == ["20260601"]


def test_validation_hours_are_wanted_too():
    periods = {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T01:00"},
        "validation": {"start": "2026-06-02T22:00", "end": "2026-06-03T01:00"},
        "test": {"start": "2026-06-05T00:00", "end": "2026-06-05T02:00"},
    }
    run = settings(periods=periods)
    assert dates(run, "hrrr") == ["20260601", "20260602", "20260603", "20260605"]
    assert [request.init.hour for request in requests(run, "hrrr", "20260602")] == [22, 23]


def test_hours_before_each_case_for_models_with_a_history():
    run = settings(cases={"every_hours": 30, "history": 3})
    wanted = requests(run, "hrrr", "20260601")
    assert [request.init.hour for request in wanted] == [0, 1, 4, 5, 6, 7]


def test_one_hour_forecasts_as_analyses_are_filed_under_their_init():
    """Valid 00 UTC comes from the run of 23 UTC the day before."""
    run = settings(archive={"source": {"mirror": "crops"}, "analysis_lead": 1})
    assert dates(run, "hrrr") == ["20260531", "20260601"]
    (before,) = requests(run, "hrrr", "20260531")
    assert (before.init, before.lead) == (datetime(2026, 5, 31, 23), 1)
    assert [request.init.hour for request in requests(run, "hrrr", "20260601")] == [0, 5, 6]


def test_static_fields_come_from_the_first_training_hour():
    (request,) = requests(settings(), "static", "20260601")
    assert (request.init, request.lead) == (datetime(2026, 6, 1), 0)
    assert request.variables == ("OROG",)
    none = settings(fields={"static": []})
    assert dates(none, "static") == []


def test_members_of_a_cycle_between():
    """06 UTC: HiResW has not run since 00 UTC, so its members are 6 and 18 hours old."""
    wanted = requests(reference(), "href", "20260601")
    assert len(wanted) == 10
    assert {request.member: (request.init, request.lead) for request in wanted} == {
        "nam_nest_00h": (datetime(2026, 6, 1, 6), 1),
        "nam_nest_06h": (datetime(2026, 6, 1, 0), 7),
        "hrrr_00h": (datetime(2026, 6, 1, 6), 1),
        "hrrr_06h": (datetime(2026, 6, 1, 0), 7),
        "hiresw_fv3_06h": (datetime(2026, 6, 1, 0), 7),
        "hiresw_fv3_18h": (datetime(2026, 5, 31, 12), 19),
        "hiresw_arw_06h": (datetime(2026, 6, 1, 0), 7),
        "hiresw_arw_18h": (datetime(2026, 5, 31, 12), 19),
        "hiresw_arw_mem2_06h": (datetime(2026, 6, 1, 0), 7),
        "hiresw_arw_mem2_18h": (datetime(2026, 5, 31, 12), 19),
    }
    assert dates(reference(), "href") == ["20260601"]


def test_members_whose_run_ends_before_are_skipped():
    """36 h after 06 UTC an ARW run (48 h long) of 18 h before is over; an FV3 run (60 h) is not."""
    periods = {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T02:00"},
        "test": {"start": "2026-06-03T06:00", "end": "2026-06-04T18:00"},
    }
    run = reference(leads=[36], periods=periods)
    members = [request.member for request in requests(run, "href", "20260603")]
    assert members == [
        "nam_nest_00h",
        "nam_nest_06h",
        "hrrr_00h",
        "hrrr_06h",
        "hiresw_fv3_06h",
        "hiresw_fv3_18h",
        "hiresw_arw_06h",
        "hiresw_arw_mem2_06h",
    ]
    with pytest.raises(StormdrawError, match=r"only 8 of HREF's members run as far as 36 h"):
        reference(minimum_members=9, leads=[36], periods=periods)


def test_products_hold_what_href_publishes():
    wanted = requests(reference(), "href_products", "20260601")
    assert [(request.lead, request.product, request.statistic) for request in wanted] == [
        (1, "mean", "mean"),
        (1, "sprd", "spread"),
    ]
    assert {request.variables for request in wanted} == {("T2M", "D2M", "CAPE", "CIN", "WIND10")}
    assert {request.init for request in wanted} == {datetime(2026, 6, 1, 6)}


def test_products_without_wind_or_with_nothing_at_all():
    (request, *_) = requests(reference(variables=["REFC", "T2M"]), "href_products", "20260601")
    assert request.variables == ("T2M",)
    products = {"name": "x", "method": "reference", "kind": "products"}
    with pytest.raises(
        StormdrawError, match=r"0: x is the reference's mean .* none of REFC; leave"
    ):
        settings(
            variables=["REFC"],
            archive={"source": "simulated", "reference": "href"},
            ensembles={"systems": [products]},
        )


def test_no_reference_no_reference_files():
    assert dates(settings(), "href") == []
    assert dates(settings(), "href_products") == []


HRRR = {"systems": [{"name": "hrrr", "method": "baseline", "kind": "hrrr"}]}


def test_hrrr_forecasts_start_with_the_case():
    (request,) = requests(settings(ensembles=HRRR), "hrrr_forecast", "20260601")
    assert (request.init, request.lead) == (datetime(2026, 6, 1, 6), 1)
    assert (request.model, request.member, request.variables) == ("hrrr", "hrrr_00h", STATE)
    assert dates(settings(), "hrrr_forecast") == []


def test_hrrr_forecasts_go_on_from_the_run_the_initial_state_is_of():
    """Where f01 is the truth, f01 of the case's own hour would be the truth itself."""
    archive = {"source": {"mirror": "crops"}, "analysis_lead": 1}
    run = settings(archive=archive, ensembles=HRRR)
    (request,) = requests(run, "hrrr_forecast", "20260601")
    assert (request.init, request.lead) == (datetime(2026, 6, 1, 5), 2)


def lagged(*ages):
    return {"systems": [{"name": "l", "method": "baseline", "kind": "lagged", "ages": ages}]}


def test_lagged_runs_are_fetched_as_far_as_they_go():
    """A case at 06 UTC + 17 h: the run of 05 UTC ends after 18 h, those of 06 and 00 UTC do not."""
    periods = {
        "training": {"start": "2026-05-01T00:00", "end": "2026-05-01T01:00"},
        "test": {"start": "2026-06-01T06:00", "end": "2026-06-01T23:00"},
    }
    run = settings(ensembles=lagged(6, 0, 1, 2), periods=periods, leads=[1, 17])
    wanted = requests(run, "hrrr_lagged", "20260601")
    assert [(request.member, request.init.hour, request.lead) for request in wanted] == [
        ("hrrr_00h", 6, 1),
        ("hrrr_00h", 6, 17),
        ("hrrr_01h", 5, 2),
        ("hrrr_01h", 5, 18),
        ("hrrr_02h", 4, 3),
        ("hrrr_06h", 0, 7),
        ("hrrr_06h", 0, 23),
    ]
    with pytest.raises(StormdrawError, match=r"l takes older .* two of them reach 17"):
        settings(ensembles=lagged(0, 2, 3), periods=periods, leads=[17])
    assert dates(settings(), "hrrr_lagged") == []


def test_lagged_runs_where_one_hour_forecasts_are_the_analyses():
    archive = {"source": {"mirror": "crops"}, "analysis_lead": 1}
    run = settings(archive=archive, ensembles=lagged(0, 1))
    assert [
        (request.member, request.init.hour, request.lead)
        for request in requests(run, "hrrr_lagged", "20260601")
    ] == [("hrrr_01h", 5, 2), ("hrrr_02h", 4, 3)]


def downscaled(source):
    """A system that downscales, and its models."""
    models = ["downscaler_t2m"]
    fine = {"name": "fine", "method": "downscale", "models": models, "source": source}
    ages = {"ages": [0, 2]} if source == "lagged" else {}
    return {"models": models, "ensembles": {"systems": [fine | ages]}}


def test_what_is_downscaled_is_fetched():
    run = settings(**downscaled("hrrr"))
    assert requests(run, "hrrr_forecast", "20260601")[0].member == "hrrr_00h"
    assert dates(run, "hrrr_lagged") == []
    run = settings(**downscaled("lagged"))
    members = [request.member for request in requests(run, "hrrr_lagged", "20260601")]
    assert members == ["hrrr_00h", "hrrr_02h"]
    assert dates(run, "hrrr_forecast") == []
    with pytest.raises(StormdrawError, match=r"fine is made of the reference ensemble, but arch"):
        settings(**downscaled("reference"))
    run = settings(archive={"source": "simulated", "reference": "href"}, **downscaled("reference"))
    assert minimum_members(run, "href") == {(): 1}
    assert len(requests(run, "href", "20260601")) == 10


@pytest.mark.parametrize(
    ("source", "said"), [("hrrr", "07 UTC has 18 h"), ("lagged", "fine takes older runs")]
)
def test_forecasts_that_end_before_they_are_downscaled(source, said):
    periods = {
        "training": {"start": "2026-05-01T00:00", "end": "2026-05-01T01:00"},
        "test": {"start": "2026-06-01T07:00", "end": "2026-06-02T07:00"},
    }
    with pytest.raises(StormdrawError, match=said):
        settings(periods=periods, leads=[19], **downscaled(source))


@pytest.mark.parametrize(("start", "reached"), [("06", True), ("07", False)])
def test_hrrr_runs_short_from_most_hours(start, reached):
    periods = {
        "training": {"start": "2026-05-01T00:00", "end": "2026-05-01T01:00"},
        "test": {"start": f"2026-06-01T{start}:00", "end": f"2026-06-02T{start}:00"},
    }
    if reached:
        assert settings(ensembles=HRRR, periods=periods, leads=[19]).ages("hrrr_forecast") == [0]
    else:
        with pytest.raises(StormdrawError, match="the run of 2026-06-01 07 UTC has 18 h"):
            settings(ensembles=HRRR, periods=periods, leads=[19])


def test_an_unknown_source_is_named():
    with pytest.raises(StormdrawError, match="unknown source 'gfs'"):
        dates(settings(), "gfs")


def test_the_strictest_system_counts():
    systems = [
        {"name": "href", "method": "reference", "minimum_members": 6},
        {"name": "href_strict", "method": "reference", "minimum_members": 9},
        {"name": "products", "method": "reference", "kind": "products", "minimum_members": 10},
    ]
    run = reference()
    archive = run.archive.model_dump()
    run = settings(archive=archive, ensembles={"systems": systems})
    assert minimum_members(run, "href") == {(): 9}
    assert minimum_members(run, "href_products") == {}
    assert minimum_members(settings(), "href") == {}


def test_of_lagged_runs_each_system_needs_one_of_its_own():
    systems = [*lagged(0, 1)["systems"], *lagged(2, 6)["systems"]]
    systems[1]["name"] = "older"
    periods = {
        "training": {"start": "2026-05-01T00:00", "end": "2026-05-01T01:00"},
        "test": {"start": "2026-06-01T06:00", "end": "2026-06-01T07:00"},
    }
    run = settings(ensembles={"systems": systems}, periods=periods)
    assert minimum_members(run, "hrrr_lagged") == {(0, 1): 1, (2, 6): 1}


@pytest.mark.parametrize(
    "change",
    [
        {"variables": ("T2M",)},
        {"member": "hrrr_06h"},
        {"options": (("member", 2),)},
        {"statistic": "mean"},
        {"excluded": True},
        {"product": "subh"},
    ],
    ids=str,
)
def test_a_job_runs_again_when_another_thing_is_wanted(change):
    """The rule has the digest as a parameter."""
    (request, *_) = requests(settings(), "hrrr", "20260601")
    assert digest([dataclasses.replace(request, **change)]) != digest([request])
    assert digest([dataclasses.replace(request)]) == digest([request])
