"""Only usable fields of what was asked for pass: everything else is named, or passed over."""

from datetime import datetime

import numpy as np
import pytest
from archive_messages import message, pack_together, variable_message

from stormdraw.archive.request import FileRequest
from stormdraw.archive.verify import off_the_common_grid, verify, verify_file
from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.messages import opened

import eccodes  # isort: skip  (after stormdraw)

INIT = datetime(2026, 6, 1, 12)
T2M = variable_message("T2M", INIT, 3)
CAPE = variable_message("CAPE", INIT, 3)
U10 = variable_message("U10", INIT, 3)
V10 = variable_message("V10", INIT, 3)
HOUR, SECOND = 1, 13
GRID_RELATIVE = (("uvRelativeToGrid", 1),)


def request(*names, lead=3, init=INIT, statistic=None, options=(), whole=False):
    return FileRequest("hrrr", "sfc", options, init, lead, "", names, statistic, whole)


def member(number, kind=3):
    """The codes of a member's forecast; 3 is perturbed, 0 and 1 are controls, 2 is negative."""
    keys = (("typeOfEnsembleForecast", kind), ("perturbationNumber", number))
    return {"template": 1, "keys": keys}


def contents(verified):
    return [entry.content for entry in verified.messages]


def finding(content, wanted=None):
    """What is said of T2M in a file that has nothing usable."""
    verified = verify([content], wanted or request("T2M"))
    assert verified.messages == ()
    assert verified.grid is None
    fault = verified.lacking["T2M"]
    return fault and fault.finding


def test_wanted_messages_in_the_order_asked_for():
    verified = verify([CAPE, T2M], request("T2M", "CAPE"))
    assert [(m.variable, m.content) for m in verified.messages] == [("T2M", T2M), ("CAPE", CAPE)]
    assert verified.lacking == {}
    assert verified.grid.shape == (4, 5)


def test_fields_that_share_a_message_are_taken_apart():
    assert contents(verify([pack_together(U10, V10)], request("U10", "V10"))) == [U10, V10]


def test_the_first_of_two_is_taken(caplog):
    other = message((0, 3, 5), (1, 0), init=INIT, lead=3, value=9.0, process=193)
    first = variable_message("OROG", INIT, 3)
    assert contents(verify([first, other], request("OROG"))) == [first]
    assert "holds OROG twice" in caplog.text


def test_the_right_one_of_several_is_taken():
    """As in a file of all steps, statistics and members."""
    others = [
        variable_message("T2M", INIT, 2),
        variable_message("T2M", INIT, 180, lead_unit=0, value=7.0, derived=0),
        variable_message("T2M", INIT, 3, **member(1)),
    ]
    verified = verify([*others, T2M, variable_message("T2M", INIT, 4)], request("T2M"))
    assert contents(verified) == [T2M]
    assert verified.lacking == {}


@pytest.mark.parametrize("template", [3, 4, 5, 6, 7, 9, 10, 15, 20, 30, 31, 40, 48, 60])
def test_what_is_no_field_of_a_forecast_is_passed_over(template):
    """A cluster's, a probability, a percentile, an error, radar, satellites, chemistry."""
    other = message((0, 0, 0), (103, 2), init=INIT, lead=3, template=template)
    assert finding(other) is None
    assert contents(verify([other, T2M], request("T2M"))) == [T2M]


def test_a_template_that_nobody_knows_is_passed_over():
    unknown = bytearray(T2M)
    template = section(T2M, 4) + 7
    unknown[template : template + 2] = (999).to_bytes(2, "big")
    assert contents(verify([bytes(unknown), CAPE], request("CAPE"))) == [CAPE]


@pytest.mark.parametrize("template", [8, 11, 12])
def test_what_is_of_an_interval_is_passed_over(template):
    interval = (2, 1, HOUR)
    other = message((0, 0, 0), (103, 2), init=INIT, lead=3, interval=interval, template=template)
    assert finding(other) is None


@pytest.mark.parametrize("code", [2, 3, 5, 6, 7, 8, 9, 192])
@pytest.mark.parametrize("statistic", [None, "mean", "spread"])
def test_other_statistics_of_an_ensemble_are_refused(code, statistic):
    """Deviations of clusters, the smallest and largest member, a distance of quantiles."""
    told = finding(
        variable_message("T2M", INIT, 3, derived=code), request("T2M", statistic=statistic)
    )
    assert told.startswith("its message is another statistic of an ensemble, expected ")


@pytest.mark.parametrize(
    ("codes", "statistic", "told"),
    [
        ({}, "mean", "is a plain forecast, expected the mean of an ensemble"),
        ({"derived": 4}, "mean", "is the spread of an ensemble, expected the mean of"),
        ({"derived": 1}, None, "is the mean of an ensemble, expected a plain forecast"),
        ({"derived": 0}, "spread", "is the mean of an ensemble, expected the spread"),
    ],
)
def test_another_statistic_than_asked_for(codes, statistic, told):
    content = variable_message("T2M", INIT, 3, **codes)
    assert told in finding(content, request("T2M", statistic=statistic))


@pytest.mark.parametrize(("code", "statistic"), [(0, "mean"), (1, "mean"), (4, "spread")])
def test_statistics_as_asked(code, statistic):
    content = variable_message("T2M", INIT, 3, derived=code)
    assert contents(verify([content], request("T2M", statistic=statistic))) == [content]


@pytest.mark.parametrize(
    "codes",
    [
        {"parameter": (0, 0, 0), "surface": (103, 2), "second_surface": (103, 1000)},
        {"parameter": (0, 0, 0), "surface": (103, 2), "second_surface": (1, 0)},
        {"parameter": (0, 0, 0), "surface": (103, 2.4)},
        {"parameter": (0, 0, 0), "surface": (103, 10)},
        {"parameter": (0, 0, 0), "surface": (1, 0)},
        {"parameter": (0, 0, 0), "surface": (102, 2)},
        {"parameter": (0, 0, 1), "surface": (103, 2)},
        {"parameter": (0, 1, 0), "surface": (103, 2)},
        {"parameter": (2, 0, 0), "surface": (103, 2)},
    ],
)
def test_another_layer_level_surface_or_parameter_is_passed_over(codes):
    assert finding(message(init=INIT, lead=3, **codes)) is None


def test_a_layer_of_convective_energy_is_not_the_surface():
    layer = message((0, 7, 6), (108, 9000), (108, 0), init=INIT, lead=3)
    assert contents(verify([layer, CAPE], request("CAPE"))) == [CAPE]


@pytest.mark.parametrize(
    ("codes", "init", "lead", "header"),
    [
        ({"lead": 3}, INIT, 4, "2026-06-01 12 UTC + 3 h"),
        ({"lead": 3}, datetime(2026, 6, 1, 11), 4, "2026-06-01 12 UTC + 3 h"),
        ({"lead": 3}, datetime(2026, 6, 1, 11), 3, "2026-06-01 12 UTC + 3 h"),
        ({"lead": 3}, datetime(2025, 6, 1, 12), 3, "2026-06-01 12 UTC + 3 h"),
        ({"lead": 15, "lead_unit": 0}, INIT, 0, "2026-06-01 12 UTC + a part of an hour"),
        ({"lead": 7200, "lead_unit": SECOND}, INIT, 0, "2026-06-01 12 UTC + 2 h"),
        # A month, which is no number of hours.
        ({"lead": 1, "lead_unit": 3}, INIT, 0, "2026-06-01 12 UTC + a part of an hour"),
        ({"lead": 0, "keys": (("minute", 15),)}, INIT, 0, "2026-06-01 12 UTC + 0 h"),
    ],
)
def test_another_time_than_the_name_says(codes, init, lead, header):
    content = message((0, 0, 0), (103, 2), init=INIT, **codes)
    told = finding(content, request("T2M", init=init, lead=lead))
    name = f"{init:%Y-%m-%d %H} UTC + {lead} h"
    assert told == f"its name says {name}, but its header says {header}"


@pytest.mark.parametrize(
    ("lead", "unit"), [(180, 0), (3, HOUR), (1, 10), (10_800, SECOND)], ids=str
)
def test_a_time_in_any_unit(lead, unit):
    content = message((0, 0, 0), (103, 2), init=INIT, lead=lead, lead_unit=unit)
    assert contents(verify([content], request("T2M"))) == [content]


def test_a_time_that_is_none(tmp_path):
    """Month 13: ecCodes does not mind."""
    content = bytearray(T2M)
    content[16 + 14] = 13
    assert "an invalid time: 2026-13-1" in finding(bytes(content))


@pytest.mark.parametrize(
    ("codes", "wanted", "told"),
    [
        (member(2), 1, "is of ensemble member 2, expected 1"),
        (member(2), None, "is of ensemble member 2, expected 0"),
        (member(1, kind=0), 1, "is of ensemble member 0, expected 1"),
        (member(1, kind=1), 1, "is of ensemble member 0, expected 1"),
        (member(1, kind=2), 1, "is of ensemble member -1, expected 1"),
        (member(2, kind=192), 1, "is of ensemble member 2, expected 1"),
    ],
)
def test_another_member_than_asked_for(codes, wanted, told):
    options = (("domain", "conus"), *([("member", wanted)] if wanted else []))
    content = variable_message("T2M", INIT, 3, **codes)
    assert finding(content, request("T2M", options=options)) == f"its message {told}"


@pytest.mark.parametrize(
    ("codes", "wanted"),
    [
        (member(1), 1),
        (member(5, kind=192), 5),
        # A control is what is meant where no member is asked for.
        (member(0, kind=0), None),
        (member(1, kind=1), None),
        # HiResW's second member does not say that it is one.
        ({}, 2),
    ],
)
def test_the_member_that_was_asked_for(codes, wanted):
    options = (("member", wanted),) if wanted else ()
    content = variable_message("T2M", INIT, 3, **codes)
    assert contents(verify([content], request("T2M", options=options))) == [content]


def test_a_flag_for_winds_on_the_winds_only():
    """The flag is a part of the grid's section, and means nothing for scalars."""
    winds = [variable_message(name, INIT, 3, keys=GRID_RELATIVE) for name in ("U10", "V10")]
    verified = verify([T2M, *winds], request("T2M", "U10", "V10"))
    assert contents(verified) == [T2M, *winds]
    assert verified.lacking == {}


def test_winds_that_follow_different_axes():
    turned = variable_message("V10", INIT, 3, keys=GRID_RELATIVE)
    verified = verify([T2M, U10, turned], request("T2M", "U10", "V10"))
    assert contents(verified) == [T2M]
    assert {name: fault.finding for name, fault in verified.lacking.items()} == dict.fromkeys(
        ("U10", "V10"), "of U10 and V10 one follows the grid's axes and one the compass"
    )


def test_a_wind_component_alone():
    verified = verify([T2M, V10], request("T2M", "U10", "V10"))
    assert contents(verified) == [T2M]
    assert verified.lacking["U10"] is None
    assert verified.lacking["V10"].finding == "V10 is of no use without the other component"
    # Whoever asks for one alone gets it.
    assert contents(verify([V10], request("V10"))) == [V10]


def test_a_variable_on_another_grid_than_the_rest():
    east = (("longitudeOfFirstGridPointInDegrees", 262.6),)
    moved = variable_message("T2M", INIT, 3, keys=east)
    verified = verify([moved, U10, V10], request("T2M", "U10", "V10"))
    assert contents(verified) == [U10, V10]
    assert verified.lacking["T2M"].finding == "T2M is on another grid than the rest"


def test_a_header_that_differs_by_a_microdegree():
    """A microdegree is 0.1 m, on a grid of 3 km."""
    near = variable_message("CAPE", INIT, 3, keys=(("longitudeOfFirstGridPoint", 262_500_001),))
    assert near != CAPE
    assert contents(verify([T2M, near], request("T2M", "CAPE"))) == [T2M, near]


def test_the_common_grid_is_that_of_most():
    one, other = (Grid("+proj=longlat", (0.0, 1.0), (y, y + 1.0)) for y in (0.0, 5.0))
    assert off_the_common_grid({"a": other, "b": one, "c": one}) == (one, ["a"])
    assert off_the_common_grid({"a": other, "b": one}) == (other, ["b"])
    assert off_the_common_grid({"a": one, "b": one}) == (one, [])


def test_a_grid_that_cannot_be_read():
    handle = eccodes.codes_grib_new_from_samples("reduced_gg_pl_32_grib2")
    keys = {"typeOfFirstFixedSurface": 103, "level": 2, "dataDate": 20260601, "dataTime": 1200}
    for key, setting in (keys | {"stepRange": 3}).items():
        eccodes.codes_set(handle, key, setting)
    content = eccodes.codes_get_message(handle)
    eccodes.codes_release(handle)
    assert "on a reduced_gg grid" in finding(content)


def changed(content, change):
    with opened(content) as handle:
        change(handle)
        return eccodes.codes_get_message(handle)


def test_a_field_without_a_value():
    def empty(handle):
        eccodes.codes_set(handle, "bitmapPresent", 1)
        eccodes.codes_set(handle, "missingValue", 9999.0)
        eccodes.codes_set_values(handle, np.full(20, 9999.0))

    assert finding(changed(T2M, empty)) == "T2M has no value at any point"


def test_a_field_with_one_value_is_usable():
    def almost_empty(handle):
        eccodes.codes_set(handle, "bitmapPresent", 1)
        eccodes.codes_set(handle, "missingValue", 9999.0)
        eccodes.codes_set_values(handle, np.array([280.0, *[9999.0] * 19]))

    content = changed(T2M, almost_empty)
    assert contents(verify([content], request("T2M"))) == [content]
    said = "T2M is missing at 19 of 20 points"
    assert finding(content, request("T2M", whole=True)) == said
    assert contents(verify([T2M], request("T2M", whole=True))) == [T2M]


def section(content, number):
    """The first byte of a section."""
    position = 16
    while content[position + 4] != number:
        position += int.from_bytes(content[position : position + 4], "big")
    return position


def test_data_that_cannot_be_decoded():
    """60 bits a value, where the data hold far fewer."""
    damaged = bytearray(T2M)
    damaged[section(T2M, 5) + 19] = 60
    assert "T2M cannot be decoded" in finding(bytes(damaged))


def test_fewer_values_than_the_grid_has_points():
    grid_of_more = bytearray(T2M)
    columns = section(T2M, 3) + 30
    assert int.from_bytes(grid_of_more[columns : columns + 4], "big") == 5
    grid_of_more[columns : columns + 4] = (6).to_bytes(4, "big")
    assert finding(bytes(grid_of_more)) == "T2M has 20 values on a grid of 4 x 6"


def test_damage_is_what_is_wrong_with_a_variable_that_is_not_there():
    damaged = bytearray(CAPE)
    damaged[16:20] = (3).to_bytes(4, "big")
    verified = verify([bytes(damaged), T2M], request("T2M", "CAPE"))
    assert contents(verified) == [T2M]
    assert "section of 3 bytes" in verified.lacking["CAPE"].finding


def test_a_stored_file_must_be_whole(tmp_path):
    path = tmp_path / "stored.grib2"
    path.write_bytes(T2M + CAPE)
    assert contents(verify_file(path, request("T2M", "CAPE"))) == [T2M, CAPE]
    path.write_bytes(T2M + CAPE[:-10])
    with pytest.raises(StormdrawError, match="cut off"):
        verify_file(path, request("T2M"))
