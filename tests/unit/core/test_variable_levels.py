"""Entries of the table of variables that are rows of several levels."""

from typing import Any

import pytest
from own_rows import HUMIDITY

from stormdraw.errors import StormdrawError
from stormdraw.grib_keys import Description
from stormdraw.variable_table import read_table
from stormdraw.variables import identify, names_of, use_table, variable, vectors

pytestmark = pytest.mark.usefixtures("shipped_table")


def test_rows_of_several_levels_are_written_once() -> None:
    """Of 25, each with its own level, name and partner."""
    levels = (925, 850, 700, 500, 250)
    names = [f"{letter}{level}" for letter in "TUVQZ" for level in levels]
    assert list(names_of("state"))[-25:] == names
    for level in levels:
        assert {variable(f"{letter}{level}").grib.level for letter in "TUVQZ"} == {level}
        assert variable(f"Q{level}").long_name == f"specific humidity at {level} hPa"
        assert vectors()[f"U{level}"] == f"V{level}"
        assert identify(Description((0, 1, 0), (100, 100.0 * level))) is variable(f"Q{level}")
    assert {variable(name).product for name in names} == {"prs"}


def test_a_configuration_has_rows_of_several_levels_too() -> None:
    own = {
        "W{level}": {
            **{"long_name": "upward wind at {level} hPa", "units": "Pa s-1", "precision": 0.01},
            "grib": {
                **{"discipline": 0, "category": 2, "number": 8, "abbreviation": "VVEL"},
                "surfaces": [100],
            },
            **{"lower": -90, "upper": 90, "product": "prs"},
            "levels": {700: None, 500: {"upper": 80, "grib": {"abbreviation": "OMEGA"}}},
        },
        "T500": {"upper": 300},
    }
    use_table(own)
    assert variable("W700").inventory == "VVEL:700 mb"
    assert (variable("W700").upper, variable("W500").upper) == (90, 80)
    assert variable("W500").inventory == "OMEGA:500 mb"
    assert (variable("T500").upper, variable("T700").upper) == (300, 333)


@pytest.mark.parametrize(
    "levels", [None, [700, 500], 700, {700: 5}, {700: {"grib": 5}}, {700: {"grib": None}}]
)
def test_levels_without_columns_are_refused(levels: Any) -> None:
    with pytest.raises(StormdrawError, match=r"^variable_table: W\{level\}: levels must have"):
        read_table({"W{level}": HUMIDITY | {"levels": levels}})


def test_levels_of_a_row_without_grib_keys_are_refused() -> None:
    with pytest.raises(StormdrawError, match=r"^variable_table: W\{level\}: .* grib keys of"):
        read_table({"W{level}": HUMIDITY | {"levels": {700: {}}, "grib": 5}})


def test_a_product_that_no_model_has_is_refused() -> None:
    with pytest.raises(StormdrawError, match=r"^variable_table: T2M: product: "):
        read_table({"T2M": {"product": "subh"}})
