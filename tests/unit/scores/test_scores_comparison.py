from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import leads_of
from stormdraw.scores.comparison import cases, load_system, load_systems, variables

Write = Callable[..., Path]
INITS = ("2026060806", "2026060912")


@pytest.fixture
def three(write_statistics: Write) -> dict[str, list[Path]]:
    """Three systems, two cases, T2M and REFC at 1 and 3 h; href has no REFC."""
    return {
        name: [
            write_statistics(name, init, names, [1, 3], mask_checksum=99) for init in INITS[::-1]
        ]
        for name, names in (
            ("trial", ["REFC", "T2M"]),
            ("href", ["T2M"]),
            ("persistence", ["REFC", "T2M"]),
        )
    }


def test_cases_in_order_of_time_and_systems_in_order_of_name(three: dict[str, list[Path]]) -> None:
    systems = load_systems(three, tables={"rank_counts"})
    assert list(systems) == ["href", "persistence", "trial"]
    assert cases(systems["trial"]) == list(INITS)
    assert leads_of(systems["trial"]) == [1, 3]
    assert variables(systems["href"]) == ["T2M"]
    assert systems["trial"]["rank_counts"].dims == ("init", "variable", "lead", "rank")


def test_ensembles_of_different_sizes_are_padded(write_statistics: Write) -> None:
    paths = [
        write_statistics("trial", INITS[0], ["T2M"], [1], rank_counts=np.ones((1, 1, 3), int)),
        write_statistics("trial", INITS[1], ["T2M"], [1], rank_counts=np.ones((1, 1, 4), int)),
    ]
    counts = load_systems({"trial": paths}, tables={"rank_counts"})["trial"]["rank_counts"]
    np.testing.assert_array_equal(counts[:, 0, 0], [[1, 1, 1, -1], [1, 1, 1, 1]])


def test_a_missing_case_is_named(three: dict[str, list[Path]]) -> None:
    three["trial"].pop()
    message = (
        r"the cases are not the same for all systems: trial has 1 \(without 2026060806\), "
        r"while href, persistence has 2; score every system on the same"
    )
    with pytest.raises(StormdrawError, match=message):
        load_systems(three)


def test_an_additional_case_is_named(three: dict[str, list[Path]], write_statistics: Write) -> None:
    """And nothing is said to lack."""
    three["trial"].append(write_statistics("trial", "2026061006", ["REFC", "T2M"], [1, 3]))
    with pytest.raises(StormdrawError, match=r"trial has 3 \(additionally 2026061006\), while"):
        load_systems(three)


def test_another_lead_is_named(three: dict[str, list[Path]], write_statistics: Write) -> None:
    three["href"] = [write_statistics("href", init, ["T2M"], [1, 6]) for init in INITS]
    with pytest.raises(StormdrawError, match=r"leads .*: href has 2 \(without 3, additionally 6\)"):
        load_systems(three)


def test_other_points_are_named(three: dict[str, list[Path]], write_statistics: Write) -> None:
    three["href"][0] = write_statistics(
        "href", INITS[1], ["T2M"], [1, 3], points=[[10, 9]], mask_checksum=[[99, 98]]
    )
    message = (
        r"points of T2M at 2026060912, lead 3 h are .*: href has 9 points, "
        r"while persistence, trial has 10 points"
    )
    with pytest.raises(StormdrawError, match=message):
        load_systems(three)


def test_equally_many_but_different_points_are_an_error(
    three: dict[str, list[Path]], write_statistics: Write
) -> None:
    three["trial"][0] = write_statistics(
        "trial", INITS[1], ["REFC", "T2M"], [1, 3], mask_checksum=[[99, 99], [98, 99]]
    )
    message = r"lead 1 h .* trial has 10 other points, while href, persistence has 10 points;"
    with pytest.raises(StormdrawError, match=message):
        load_systems(three)


def test_a_gap_of_one_system_is_one_of_all_but_still_counted_as_its_own(
    write_statistics: Write,
) -> None:
    """One has no T2M at 3 h, where all its points are missing: then none is scored there."""
    gap = {"points": [[10, 0]], "missing_points": [[0, 10]], "mask_checksum": [[99, 0]]}
    given = {"mask_checksum": 99, "missing_points": 2, "crps_fair_sum": 5.0}
    paths = {
        "full": [write_statistics("full", INITS[0], ["T2M", "REFC"], [1, 3], **given)],
        "holed": [write_statistics("holed", INITS[0], ["T2M"], [1, 3], **gap)],
    }
    full, holed = load_systems(paths).values()
    assert full["points"].values.tolist() == [[[10, 0], [10, 10]]]
    assert full["crps_fair_sum"].values.tolist() == [[[5.0, 0.0], [5.0, 5.0]]]
    assert full["missing_points"].values.tolist() == [[[2, 2], [2, 2]]]
    assert holed["missing_points"].values.tolist() == [[[0, 10]]]


def test_a_region_that_was_not_scored_is_named(three: dict[str, list[Path]]) -> None:
    with pytest.raises(StormdrawError, match=r"2026060912\.nc: no region 'plains'; score this"):
        load_systems(three, region="plains")


def test_only_some_variables_are_loaded(three: dict[str, list[Path]]) -> None:
    assert variables(load_system("trial", three["trial"], only=["T2M", "CAPE"])) == ["T2M"]


def test_a_table_that_some_files_lack_is_unknown_in_them(write_statistics: Write) -> None:
    """As events are in a case without any valid point."""
    events, sums = np.array([[["10", "<=20"]]], object), np.array([[[[0.5, 0.25]]]])
    paths = [
        write_statistics("trial", INITS[0], ["REFC"], [1]),
        write_statistics("trial", INITS[1], ["REFC"], [1], event=events, brier_sum=sums),
    ]
    found = load_system("trial", paths, tables={"event", "brier_sum"})
    assert found["event"][:, 0, 0].values.tolist() == [["", ""], ["10", "<=20"]]
    assert found["brier_sum"][:, 0, 0].values.tolist() == [[0.0, 0.0], [0.5, 0.25]]


def test_files_of_one_system_must_have_the_same_variables_and_leads(
    write_statistics: Write,
) -> None:
    paths = [
        write_statistics("trial", INITS[0], ["T2M"], [1, 3]),
        write_statistics("trial", INITS[1], ["T2M"], [1, 6]),
    ]
    with pytest.raises(StormdrawError, match=r"2026060912\.nc: leads \[1, 6\] differ from"):
        load_systems({"trial": paths})


def test_two_files_of_one_case_are_an_error(write_statistics: Write) -> None:
    path = write_statistics("trial", INITS[0], ["T2M"], [1])
    with pytest.raises(StormdrawError, match="trial: two score files of the case 2026060806"):
        load_systems({"trial": [path, path]})


def test_a_system_without_files_is_an_error() -> None:
    with pytest.raises(StormdrawError, match="trial: no score file"):
        load_systems({"trial": []})
