import re

import pytest

from stormdraw.errors import StormdrawError
from stormdraw.variables import DEFAULT_STATE, VARIABLES, scored_variables, variable


def matching_lines(pattern, path):
    """Line numbers whose `:variable:level:forecast:...` part the pattern finds."""
    lines = path.read_text().splitlines()
    return [
        line.split(":", 1)[0]
        for line in lines
        if re.search(pattern, ":" + line.split(":", 3)[3].rstrip(":") + ":")
    ]


@pytest.mark.parametrize(
    ("inventory", "lead", "expected"),
    [
        (
            "hrrr.20221014.t01z.wrfsfcf00.grib2.idx",
            0,
            {"REFC": "1", "T2M": "71", "D2M": "74", "U10": "77", "V10": "78", "CAPE": "105"},
        ),
        (
            "hrrr.20221014.t09z.wrfsfcf05.grib2.idx",
            5,
            {"REFC": "1", "T2M": "71", "D2M": "74", "CAPE": "108", "CIN": "109", "OROG": "63"},
        ),
    ],
)
def test_inventory_patterns_find_one_line_each(real_data, inventory, lead, expected):
    for name, line in expected.items():
        pattern = variable(name).inventory_pattern(lead)
        assert matching_lines(pattern, real_data / "idx" / inventory) == [line]


def test_mean_product_has_no_reflectivity_but_wind_speed(real_data):
    path = real_data / "idx" / "href.20260810.t00z.conus.mean.f24.grib2.idx"
    found = {
        name: matching_lines(variable(name).inventory_pattern(24) + "wt ens mean", path)
        for name in ("REFC", "U10", "T2M", "CAPE", "WIND10")
    }
    assert found == {"REFC": [], "U10": [], "T2M": ["32"], "CAPE": ["3"], "WIND10": ["55"]}


def test_hourly_maximum_wind_is_passed_over(real_data):
    path = real_data / "idx" / "hrrr.20221014.t09z.wrfsfcf05.grib2.idx"
    assert matching_lines(variable("WIND10").inventory_pattern(5), path) == []


def test_unknown_variable_names_the_known_ones():
    with pytest.raises(StormdrawError, match="unknown variable 'T3M': known ones are REFC, T2M"):
        variable("T3M")


def test_wind_speed_is_scored_where_both_components_are():
    assert scored_variables(list(DEFAULT_STATE))[-1] == "WIND10"
    assert scored_variables(["T2M"]) == ["T2M"]


def test_floors_lie_on_the_bounds():
    for row in VARIABLES.values():
        assert row.floor is None or row.floor in (row.lower, row.upper)
