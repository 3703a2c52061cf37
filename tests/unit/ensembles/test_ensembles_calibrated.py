"""Systems that are calibrated from others: what they need, where they stand, what is refused."""

import copy
from datetime import datetime
from typing import Any

import pytest
from one_system import configuration

from stormdraw.archive.absence import require_members
from stormdraw.archive.wanted import requests_by_date
from stormdraw.costs.disk import ensemble_bytes
from stormdraw.ensembles.models import check_systems
from stormdraw.errors import StormdrawError
from stormdraw.models.definitions import definition_file
from stormdraw.models.settings import load_model_settings
from stormdraw.report.candidates import candidates
from stormdraw.report.style import looks
from stormdraw.settings import Settings, load_settings
from stormdraw.simulated.plan import plan_archive

SYSTEMS: list[dict[str, Any]] = [
    {"name": "refs", "method": "reference", "kind": "members"},
    {"name": "products", "method": "reference", "kind": "products"},
    {"name": "lagged", "method": "baseline", "kind": "lagged", "ages": [0, 6]},
    {"name": "persistence", "method": "baseline", "kind": "persistence"},
    {"name": "perfect", "method": "perfect", "members": 10},
]
VALIDATION = {"start": "2026-06-03T01", "end": "2026-06-05T05"}


def run_with(*more: dict[str, Any], validation: Any = VALIDATION, **changes: Any) -> Settings:
    """Cases at 00 and 06 UTC, leads of 1 and 2 h."""
    config = configuration(**changes)
    config["periods"]["validation"] = validation
    config["periods"]["test"] = {"start": "2026-06-08T00", "end": "2026-06-08T08"}
    config["cases"] = {"every_hours": 6}
    config["archive"] = {"source": "simulated", "reference": "refs"}
    config["ensembles"] = {"systems": [*copy.deepcopy(SYSTEMS), *more]}
    return load_settings(config)


def calibrated(of: str, **keys: Any) -> dict[str, Any]:
    return {"name": f"{of}_calibrated", "method": "calibrated", "of": of, **keys}


def times(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(f"2026-06-{text}") for text in texts]


def test_validation_cases_start_at_the_hours_of_the_test() -> None:
    run = run_with(calibrated("refs"))
    right = times("03T06", "04T00", "04T06", "05T00")
    assert run.ensembles.system("refs_calibrated").fitted_on(run) == right
    few = run_with(calibrated("refs", cases=2))
    assert few.ensembles.system("refs_calibrated").fitted_on(few) == times("03T06", "04T06")


def test_what_is_calibrated_is_made_at_validation_cases_too() -> None:
    run = run_with(calibrated("refs", cases=2), calibrated("lagged", cases=1))
    new = times("08T00", "08T06")
    system = run.ensembles.system
    assert run.cases_of(system("refs")) == [*times("03T06", "04T06"), *new]
    assert run.cases_of(system("refs_calibrated")) == run.cases_of(system("perfect")) == new
    assert run.all_cases() == [*times("03T06", "04T06"), *new]
    assert set(run.compared_times()) >= set(times("03T07", "03T08", "08T01", "08T08"))
    days = {
        source: sorted(requests_by_date(run, source))
        for source in ("refs", "refs_products", "hrrr_lagged")
    }
    assert days == {
        "refs": ["20260603", "20260604", "20260608"],
        "refs_products": ["20260608"],
        "hrrr_lagged": ["20260603", "20260608"],
    }
    assert plan_archive(run).cases == tuple(run.all_cases())


def test_nothing_more_is_made_where_nothing_is_calibrated() -> None:
    run = run_with()
    assert run.all_cases() == run.initial_times() == run.cases_from("refs")
    assert run.compared_times() == run.valid_times()


def test_the_archive_must_have_validation_cases_of_the_reference() -> None:
    """AWS has REFS since 2026-08-12: it has the test, and not the validation before it."""
    config = run_with(calibrated("refs")).model_dump(mode="json")
    config["archive"]["source"] = ["aws"]
    config["periods"]["validation"] = {"start": "2026-08-05T00", "end": "2026-08-06T12"}
    config["periods"]["test"] = {"start": "2026-08-20T00", "end": "2026-08-20T08"}
    refs, *_, better = config["ensembles"]["systems"]
    config["ensembles"]["systems"] = [refs]
    assert load_settings(config)
    config["ensembles"]["systems"] = [refs, better]
    with pytest.raises(StormdrawError, match=r"refs needs 8 members.* at 2026-08-05 00 UTC"):
        load_settings(config)


def test_members_are_counted_at_validation_cases_too() -> None:
    with pytest.raises(StormdrawError, match=r"REFS of 2026-06-03 06 UTC \+ 1 h: 0 of 14 members"):
        require_members(run_with(calibrated("refs")), "refs", "20260603", [])


def test_ensembles_of_validation_cases_count_on_the_disk() -> None:
    none, some = run_with(), run_with(calibrated("perfect", cases=4))
    one_case = ensemble_bytes(none, {}) - ensemble_bytes(
        none.model_copy(
            update={
                "ensembles": none.ensembles.model_copy(
                    update={"systems": none.ensembles.systems[:-1]}
                )
            }
        ),
        {},
    )
    # Four validation cases beside two of the test, and two that are calibrated.
    assert ensemble_bytes(some, {}) - ensemble_bytes(none, {}) == one_case // 2 * (4 + 2)


def test_a_calibrated_system_stands_where_the_other_stands_but_is_not_the_reference() -> None:
    run = run_with(*(calibrated(name) for name in ("refs", "lagged", "perfect")))
    roles = {
        role: [system.name for system in run.ensembles.in_role(role)]
        for role in ("contender", "reference", "baseline", "ceiling")
    }
    assert roles == {
        "contender": ["perfect_calibrated"],
        "reference": ["refs", "products", "refs_calibrated"],
        "baseline": ["lagged", "persistence", "lagged_calibrated"],
        "ceiling": ["perfect"],
    }
    assert looks(run)["refs_calibrated"].colour == looks(run)["refs"].colour
    assert candidates(run_with(calibrated("refs"))) == ["refs"]
    with pytest.raises(StormdrawError, match="refs_calibrated', which is made from refs; na"):
        run_with(calibrated("refs"), scores={"reference": "refs_calibrated"})


def test_members_and_variables_are_those_of_the_other_system() -> None:
    run = run_with(calibrated("perfect"), calibrated("refs"))
    system = run.ensembles.system
    assert system("perfect_calibrated").most_members(run) == 10
    assert system("refs_calibrated").most_members(run) == 14
    assert system("refs_calibrated").variables(run, {}) == run.variables
    # Its own keys, and the run's that it depends on.
    of = system("perfect_calibrated").depends_on(run)["of"]
    assert (of["method"], of["members"], of["target"]["coarsen"]) == ("perfect", 10, 1)


def test_variables_with_a_floor_or_transform_stay_raw_unless_they_are_named() -> None:
    run = run_with(calibrated("refs"))
    usual = run.ensembles.system("refs_calibrated")
    assert usual.chosen(run) == ["T2M", "D2M", "U10", "V10"]
    assert usual.caveat(run) == (
        "refs_calibrated is refs with the distributions of T2M, D2M, U10, V10 fitted on 4 "
        "validation cases. Its M members are moved about their own mean, which flatters their fair "
        "CRPS by up to 1/(2M)."
    )
    run = run_with(calibrated("refs", only=["REFC", "T2M"], cases=1))
    named = run.ensembles.system("refs_calibrated")
    assert named.chosen(run) == ["REFC", "T2M"]
    assert "Those of REFC are evenly spaced quantiles" in named.caveat(run)
    assert "on 1 validation case. Its M" in named.caveat(run)


def test_a_system_needs_a_variable_to_calibrate() -> None:
    run = run_with(calibrated("refs"), variables=["REFC", "CAPE"])
    with pytest.raises(StormdrawError, match=r"none of the variables of refs \(REFC, CAPE\); name"):
        check_systems(run, {})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (calibrated("nobody"), "calibrates 'nobody', which is not a system: refs, products"),
        (calibrated("products"), "known by mean and spread and has no members to put in order"),
        (calibrated("persistence"), "which has one member and so no spread to calibrate"),
        (
            calibrated("refs") | {"of": "refs_calibrated"},
            "which is made from another system itself",
        ),
        (calibrated("refs", cases=0), "greater than or equal to 1"),
        (calibrated("refs", cases=401), "less than or equal to 400"),
        (calibrated("refs", only=["RAIN"]), "unknown variable 'RAIN': known ones are REFC"),
        (calibrated("refs", only=["GUST"]), "calibrates `only` GUST, but the run's variables are"),
        (calibrated("refs", only=[]), "at least 1 item"),
        ({"name": "it", "method": "calibrated"}, "Field required"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(StormdrawError, match=said):
        run_with(given)


def test_a_calibrated_system_is_not_calibrated_again() -> None:
    twice = {"name": "twice", "method": "calibrated", "of": "refs_calibrated"}
    with pytest.raises(
        StormdrawError, match=r"twice calibrates refs_calibrated.* set `of` to refs"
    ):
        run_with(calibrated("refs"), twice)


@pytest.mark.parametrize(
    ("validation", "said"),
    [
        (None, r"test's hours \(00, 06 UTC\), and there is no periods.validation"),
        ({"start": "2026-06-03T01", "end": "2026-06-03T07"}, "none fits into periods.validation"),
    ],
)
def test_validation_must_have_a_case(validation: Any, said: str) -> None:
    with pytest.raises(StormdrawError, match=said):
        run_with(calibrated("refs"), validation=validation)


def test_a_deterministic_model_has_nothing_to_calibrate(root) -> None:
    mean = {"name": "mean", "method": "one_step", "model": "gnn"}
    run = run_with(mean, calibrated("mean"), models=["gnn"])
    models = {"gnn": load_model_settings(definition_file("gnn", root / "config" / "models"))}
    with pytest.raises(StormdrawError, match="calibrates mean, which has one member"):
        check_systems(run, models)
