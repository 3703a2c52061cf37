"""Who is in an ensemble at a cycle and lead."""

from datetime import datetime

import pytest
from archive_mirror import settings

from stormdraw.archive.wanted import requests
from stormdraw.errors import StormdrawError
from stormdraw.membership import members_at, published_members

NOON = datetime(2026, 9, 15, 12)


@pytest.mark.parametrize(
    ("lead", "count"),
    [(1, 14), (42, 14), (43, 13), (48, 13), (49, 12), (53, 12), (54, 6), (60, 6)],
)
def test_refs_has_as_many_members_as_it_publishes(lead, count):
    members = [member for member in members_at("refs", NOON) if member.reaches(lead)]
    assert len(members) == published_members("refs", NOON, lead) == count
    if count == 6:
        assert {member.age for member in members} == {0}
        assert {member.model for member in members} == {"rrfs"}


@pytest.mark.parametrize(("lead", "count"), [(1, 10), (36, 10), (42, 8), (60, 2)])
def test_href_at_a_main_cycle(lead, count):
    members = [member for member in members_at("href", NOON) if member.reaches(lead)]
    assert len(members) == published_members("href", NOON, lead) == count


def test_href_had_eight_members_before_its_version_3():
    assert published_members("href", datetime(2021, 5, 11, 6), 36) == 8
    assert published_members("href", datetime(2021, 5, 11, 12), 36) == 10


def test_refs_has_seven_forecasts_and_the_same_of_six_hours_before():
    members = members_at("refs", NOON)
    new = [member for member in members if member.age == 0]
    assert [member.name for member in new] == [
        "rrfs_00h",
        "rrfs_m1_00h",
        "rrfs_m2_00h",
        "rrfs_m3_00h",
        "rrfs_m4_00h",
        "rrfs_m5_00h",
        "hrrr_00h",
    ]
    older = [(member.model, member.product, member.options) for member in members if member.age]
    assert older == [(member.model, member.product, member.options) for member in new]


@pytest.mark.parametrize("reference", ["href", "refs"])
def test_four_cycles_a_day(reference):
    with pytest.raises(StormdrawError, match=f"{reference.upper()} has no cycle at .* 03 UTC"):
        members_at(reference, datetime(2026, 9, 15, 3))
    with pytest.raises(StormdrawError, match=f"{reference.upper()} has no cycle"):
        published_members(reference, datetime(2026, 9, 15, 3), 1)


def test_the_reference_that_is_chosen_is_asked_for():
    systems = [{"name": "refs", "method": "reference"}]
    archive = {"source": {"mirror": "crops"}, "reference": "refs"}
    run = settings(archive=archive, ensembles={"systems": systems})
    wanted = requests(run, "refs", "20260601")
    assert len(wanted) == 14
    assert {request.model for request in wanted} == {"rrfs", "hrrr"}
    assert {request.model for request in requests(run, "refs_products", "20260601")} == {"refs"}
    assert requests(run, "href", "20260601") == []
