"""Units against their definitions."""

import numpy as np
import pytest

from stormdraw.units import amount, convert, is_unit


@pytest.mark.parametrize(
    ("value", "units", "wanted", "expected"),
    [
        (32.0, "degF", "K", 273.15),
        (-40.0, "degC", "K", 233.15),
        (-40.0, "°C", "degF", -40.0),
        (1.0, "knot", "m s-1", 1852 / 3600),
        (10.0, "m s-1", "m s-1", 10.0),
        (36.0, "km/h", "m s-1", 10.0),
        (1013.25, "hPa", "Pa", 101325.0),
        (1.0, "inch", "kg m-2", 25.4),
        (2.5, "mm", "kg m-2", 2.5),
        (2.5, "kg m-2", "kg m-2", 2.5),
        (1000.0, "ft", "m", 304.8),
        (np.pi, "radian", "degree", 180.0),
    ],
)
def test_units_are_converted(value, units, wanted, expected):
    assert convert(np.array([value, np.nan]), units, wanted)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("units", "wanted"), [("hPa", "K"), ("m", "m s-1"), ("no_such", "K")])
def test_units_of_something_else_are_refused(units, wanted):
    with pytest.raises(ValueError, match=units):
        convert(np.zeros(1), units, wanted)


@pytest.mark.parametrize(
    ("text", "expected"), [("hour", 1), ("6 hours", 6), ("15 min", 0.25), ("seconds", 1 / 3600)]
)
def test_amounts_of_time(text, expected):
    assert amount(text, "hour") == pytest.approx(expected)


@pytest.mark.parametrize("text", ["3 m", "hours since 1970-01-01", "step", "__import__('os')"])
def test_what_is_no_amount_of_time_is_refused(text):
    with pytest.raises(ValueError, match="hour"):
        amount(text, "hour")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("K", True), ("kg m-2", True), ("%", True), ("kelvins of heat", False), ("", False)],
)
def test_a_word_may_be_no_unit(text, expected):
    assert is_unit(text) is expected
