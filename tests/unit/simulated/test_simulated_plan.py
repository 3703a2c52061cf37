"""What the archive must hold: hand-worked cases."""

from datetime import datetime

from simulated_world import small_settings

from stormdraw.simulated.plan import plan_archive


def test_a_cycle_between():
    """06 UTC: NAM and HRRR of 06 and 00 UTC, HiResW of 00 UTC and of 12 UTC the day before."""
    plan = plan_archive(small_settings())
    assert plan.cases == (datetime(2026, 6, 1, 6),)
    assert {(run.model, run.init, run.leads) for run in plan.runs} == {
        ("nam_nest", datetime(2026, 6, 1, 6), (1, 2)),
        ("nam_nest", datetime(2026, 6, 1, 0), (7, 8)),
        ("hrrr", datetime(2026, 6, 1, 6), (1, 2)),
        ("hrrr", datetime(2026, 6, 1, 0), (7, 8)),
        ("hiresw_fv3", datetime(2026, 6, 1, 0), (7, 8)),
        ("hiresw_fv3", datetime(2026, 5, 31, 12), (19, 20)),
        ("hiresw_arw", datetime(2026, 6, 1, 0), (7, 8)),
        ("hiresw_arw", datetime(2026, 5, 31, 12), (19, 20)),
        ("hiresw_arw_mem2", datetime(2026, 6, 1, 0), (7, 8)),
        ("hiresw_arw_mem2", datetime(2026, 5, 31, 12), (19, 20)),
    }


def test_the_world_starts_in_time_for_the_oldest_run():
    assert plan_archive(small_settings()).start == datetime(2026, 5, 31, 12)


def test_the_world_spins_up_before_the_first_analysis():
    archive = {
        "simulated": {"rows": [500, 518], "columns": [900, 921], "spin_up_hours": 30},
        "reference": "href",
    }
    assert plan_archive(small_settings(archive=archive)).start == datetime(2026, 5, 30, 18)


def test_analyses_are_hourly_from_first_to_last():
    plan = plan_archive(small_settings())
    assert len(plan.analyses) == 9
    assert plan.analyses[0] == datetime(2026, 6, 1, 0)
    assert plan.end == datetime(2026, 6, 1, 8)


def test_a_run_that_two_cycles_use_is_made_once_with_the_leads_of_both():
    """HRRR of 06 UTC: new at 06 UTC (leads 1, 2), six hours old at 12 UTC (leads 7, 8)."""
    periods = {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T02:00"},
        "test": {"start": "2026-06-01T06:00", "end": "2026-06-01T14:00"},
    }
    runs = plan_archive(small_settings(periods=periods)).runs
    (run,) = [run for run in runs if (run.model, run.init.hour) == ("hrrr", 6)]
    assert run.leads == (1, 2, 7, 8)
    assert len({(run.model, run.init) for run in runs}) == len(runs)


def test_without_a_reference_no_model_forecasts():
    settings = small_settings(
        archive={"reference": None}, ensembles={"systems": [{"name": "p", "method": "perfect"}]}
    )
    assert plan_archive(settings).runs == ()


def test_hrrr_forecasts_alone_without_a_reference():
    settings = small_settings(
        archive={"reference": None},
        ensembles={"systems": [{"name": "hrrr", "method": "baseline", "kind": "hrrr"}]},
    )
    plan = plan_archive(settings)
    (run,) = plan.runs
    assert (run.model, run.init, run.leads) == ("hrrr", datetime(2026, 6, 1, 6), (1, 2))
    assert not plan.products


def test_lagged_runs_are_simulated_and_the_world_starts_before_them():
    system = {"name": "lagged", "method": "baseline", "kind": "lagged", "ages": [0, 1, 9]}
    archive = {
        "simulated": {"rows": [500, 518], "columns": [900, 921], "spin_up_hours": 0},
        "reference": None,
    }
    plan = plan_archive(small_settings(archive=archive, ensembles={"systems": [system]}))
    assert [(run.init, run.leads) for run in plan.runs] == [
        (datetime(2026, 5, 31, 21), (10, 11)),
        (datetime(2026, 6, 1, 5), (2, 3)),
        (datetime(2026, 6, 1, 6), (1, 2)),
    ]
    assert {run.model for run in plan.runs} == {"hrrr"}
    assert plan.start == datetime(2026, 5, 31, 21)


def test_hrrr_as_a_baseline_adds_no_run_to_href():
    systems = [
        {"name": "href", "method": "reference"},
        {"name": "hrrr", "method": "baseline", "kind": "hrrr"},
    ]
    with_hrrr = plan_archive(small_settings(ensembles={"systems": systems}))
    assert with_hrrr == plan_archive(small_settings())
