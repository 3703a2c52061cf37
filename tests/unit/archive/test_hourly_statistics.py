"""Hourly sums and extremes, and layers: in inventories, in messages and in our own."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import eccodes
import numpy as np
import pytest
from archive_messages import message
from one_system import configuration

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.inventory import choose, read_inventory
from stormdraw.archive.request import FileRequest
from stormdraw.archive.verify import verify, verify_file
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import variable_attributes
from stormdraw.grib_keys import Description
from stormdraw.grib_values import decode
from stormdraw.messages import Header, opened, read_header, read_messages
from stormdraw.report.grib_products import encode, inventory_columns
from stormdraw.report.product import kinds
from stormdraw.scores.threshold import Threshold
from stormdraw.settings import load_settings
from stormdraw.simulated.gribs import Encoder, Product, ensemble_product
from stormdraw.variable_table import read_table
from stormdraw.variables import identify, use_table, variable

pytestmark = pytest.mark.usefixtures("shipped_table")

INIT = datetime(2026, 6, 1, 21)
HOURLY = ("APCP", "WINDMAX", "MXUPHL")
GRID = HRRR.crop(slice(500, 512), slice(900, 915))
# A row that no file of HRRR has, but the real message of 100 to 1000 hPa has all but its hour.
UPDRAUGHT = {
    **{"long_name": "maximum upward velocity", "units": "m s-1"},
    **{"lower": 0, "upper": 100, "precision": 0.1},
    "grib": {
        **{"discipline": 0, "category": 2, "number": 220, "abbreviation": "MAXUVV"},
        **{"surfaces": [108], "level": 100, "second_level": 1000, "statistic": "maximum"},
    },
}

GALE = {
    **{"long_name": "gale", "units": "m s-1", "lower": 0, "upper": 90, "precision": 0.1},
    "grib": {
        **{"discipline": 0, "category": 2, "number": 1, "abbreviation": "WIND"},
        **{"surfaces": [103], "level": 10, "statistic": "maximum"},
    },
}


def request(name: str, lead: int, init: datetime = INIT) -> FileRequest:
    return FileRequest("hrrr", "sfc", (), init, lead, "", (name,))


def header_of(content: bytes) -> Header:
    with opened(content) as handle:
        return read_header(handle)


def lines_of(*columns: str) -> str:
    return "".join(f"{i + 1}:{100 * i}:d=2026060121:{text}:\n" for i, text in enumerate(columns))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("APCP", "90:63540357:d=2022101409:APCP:surface:4-5 hour acc fcst:"),
        ("WINDMAX", "79:58397142:d=2022101409:WIND:10 m above ground:4-5 hour max fcst:"),
        ("MXUPHL", "45:30559294:d=2022101409:MXUPHL:5000-2000 m above ground:4-5 hour max fcst:"),
    ],
)
def test_the_last_hour_is_one_line_of_a_real_inventory(
    real_data: Path, name: str, line: str
) -> None:
    """Not that since the start of the run (`0-5 hour acc fcst`), nor another layer."""
    text = (real_data / "idx" / "hrrr.20221014.t09z.wrfsfcf05.grib2.idx").read_text()
    assert line in text.splitlines()
    choice = choose(read_inventory(text), request(name, 5, datetime(2022, 10, 14, 9)))
    assert choice.offsets == (int(line.split(":")[1]),)
    assert not choice.lacking


@pytest.mark.parametrize("name", HOURLY)
def test_a_real_analysis_has_no_last_hour(real_data: Path, name: str) -> None:
    text = (real_data / "idx" / "hrrr.20221014.t01z.wrfsfcf00.grib2.idx").read_text()
    choice = choose(read_inventory(text), request(name, 0, datetime(2022, 10, 14, 1)))
    assert choice.offsets == ()
    assert choice.lacking[name].finding == f"its inventory has no {name} at 0 h"


def test_sums_of_a_run_and_of_a_quarter_are_no_other_hour() -> None:
    """They do not make the file one of another time."""
    columns = ("APCP:surface:0-5 hour acc fcst", "APCP:surface:45-60 min acc fcst")
    choice = choose(read_inventory(lines_of(*columns)), request("APCP", 5))
    assert choice.lacking["APCP"].finding == "its inventory has no APCP at 5 h"
    choice = choose(
        read_inventory(lines_of(*columns, "APCP:surface:3-4 hour acc fcst")), request("APCP", 5)
    )
    assert "its inventory says 2026-06-01 21 UTC + 4 h" in choice.lacking["APCP"].finding


def test_the_start_of_a_run_may_be_written_as_a_forecast() -> None:
    choice = choose(read_inventory(lines_of("TMP:2 m above ground:0 hour fcst")), request("T2M", 0))
    assert choice.offsets == (0,)


def test_a_whole_day_is_written_in_days() -> None:
    use_table({"APCP": {"grib": {"hours": 24}}})
    columns = variable("APCP").grib.forecast_column
    assert [columns(lead) for lead in (23, 24, 25, 48)] == [
        *(None, "0-1 day acc fcst"),
        *("1-25 hour acc fcst", "1-2 day acc fcst"),
    ]
    # A run of 23 h has no sum over a day, by whatever name.
    assert not re.search(variable("APCP").inventory_pattern(23), f":APCP:surface:{columns(23)}:")
    choice = choose(read_inventory(lines_of("APCP:surface:0-1 day acc fcst")), request("APCP", 24))
    assert choice.offsets == (0,)
    choice = choose(read_inventory(lines_of("APCP:surface:1-2 day acc fcst")), request("APCP", 24))
    assert "its inventory says 2026-06-01 21 UTC + 48 h" in choice.lacking["APCP"].finding


@pytest.mark.parametrize("hour", range(24))
def test_real_hourly_maxima_are_what_eccodes_reads(real_data: Path, hour: int) -> None:
    """10 m wind and rain of every hour of a day; 01 and 04 UTC are there under other names."""
    path = real_data / "hrrr_idaho" / "hrrr.20180722" / f"hrrr.t{hour:02d}z.wrfsfcf01.grib2"
    if not path.exists():
        pytest.skip(f"{path.name} is not among the real files")
    for name, keys in (("WINDMAX", (0, 2, 1, 2)), ("APCP", (0, 1, 8, 1))):
        (found,) = verify_file(path, request(name, 1, datetime(2018, 7, 22, hour))).messages
        with opened(found.content) as handle:
            own = ("discipline", "parameterCategory", "parameterNumber")
            statistic = eccodes.codes_get_long(handle, "typeOfStatisticalProcessing")
            assert (*(eccodes.codes_get(handle, key) for key in own), statistic) == keys
            assert eccodes.codes_get(handle, "stepRange") == "0-1"
            values = eccodes.codes_get_values(handle)
            field = decode(handle)
        np.testing.assert_array_equal(field.ravel(), values.astype(np.float32))


def test_a_maximum_without_length_is_no_hourly_maximum(real_data: Path) -> None:
    """A real analysis with template 4.8 and step 0; given an hour, the row knows it."""
    use_table({"MAXUVV": UPDRAUGHT})
    path = real_data / "odd_grib" / "hrrr.t00z.wrfprsf00-template8.grib2"
    (content,) = read_messages(path)
    header = header_of(content)
    assert (header.variable, header.lead) == (None, 0)
    (fault,) = verify([content], request("MAXUVV", 0, header.init)).lacking.values()
    assert fault is None
    with opened(content) as handle:
        keys = {"lengthOfTimeRange": 1, "hourOfEndOfOverallTimeInterval": 1}
        for key, value in keys.items():
            eccodes.codes_set(handle, key, value)
        hourly = eccodes.codes_get_message(handle)
    header = header_of(hourly)
    assert (header.variable, header.lead) == (variable("MAXUVV"), 1)


def rain(start: int = 4, length: int = 1, unit: int = 1, **codes: Any) -> bytes:
    """A message of rain of so long from so many hours after the run's start."""
    return message((0, 1, 8), init=INIT, lead=start, interval=(1, length, unit), **codes)


@pytest.mark.parametrize(
    ("content", "lead"),
    [
        (rain(), 5),
        (rain(length=60, unit=0), 5),
        (rain(length=3600, unit=13), 5),
    ],
)
def test_an_hour_is_an_hour_in_any_unit(content: bytes, lead: int) -> None:
    assert (header_of(content).variable, header_of(content).lead) == (variable("APCP"), lead)


@pytest.mark.parametrize(
    "content",
    [
        rain(length=5, start=0),
        rain(length=15, unit=0),
        # A maximum of rain, and rain at a point in time.
        message((0, 1, 8), init=INIT, lead=4, interval=(2, 1, 1)),
        message((0, 1, 8), init=INIT, lead=4),
    ],
)
def test_other_rain_is_not_the_last_hours(content: bytes) -> None:
    assert header_of(content).variable is None


def test_an_interval_that_contradicts_itself_is_refused() -> None:
    """It starts at 4 h and lasts one, but says that it ends at another hour."""
    content = rain(keys=(("hourOfEndOfOverallTimeInterval", 3),))
    with pytest.raises(StormdrawError, match="ends at 2026-06-02 03:00 UTC by its own end"):
        header_of(content)
    fault = verify([content], request("APCP", 5)).lacking["APCP"]
    assert fault is not None
    assert "and at another time by its start and length" in fault.finding


def test_several_time_ranges_are_no_hourly_value() -> None:
    """A sum of sums, although each is over an hour."""
    with opened(rain(keys=(("numberOfTimeRanges", 2),))) as handle:
        eccodes.codes_set_array(handle, "typeOfStatisticalProcessing", [1, 1])
        eccodes.codes_set_array(handle, "lengthOfTimeRange", [1, 1])
        content = eccodes.codes_get_message(handle)
    assert header_of(content).variable is None


def test_the_first_hour_of_a_run_is_there_twice_without_a_warning(caplog) -> None:
    """HRRR's f01 has the sum over the run and that over the last hour, which are the same."""
    once, twice = rain(start=0), rain(start=0)
    (found,) = verify([once, twice], request("APCP", 1)).messages
    assert found.content == once
    assert caplog.text == ""
    verify([rain(), rain()], request("APCP", 5))
    assert "holds APCP twice" in caplog.text


def test_both_levels_of_a_layer_must_agree() -> None:
    def found(first: float, second: float | None) -> object:
        surface = None if second is None else (103, second)
        return identify(Description((0, 7, 199), (103, first), surface, 2, 1))

    assert found(5000, 2000) is variable("MXUPHL")
    assert [found(*levels) for levels in ((3000, 0), (2000, 5000), (5000, None))] == [None] * 3
    # Of a variable that is of a level.
    assert identify(Description((0, 0, 0), (103, 2), (103, 10))) is None


def written(name: str, values: np.ndarray, lead: int, perturbation: int | None = None) -> bytes:
    with Encoder(GRID, 83, perturbation) as encoder:
        return encoder.encode(Product.of(name), values, INIT, lead)


@pytest.mark.parametrize("name", HOURLY)
@pytest.mark.parametrize(("perturbation", "template"), [(None, 8), (3, 11)])
def test_what_is_written_comes_back(name: str, perturbation: int | None, template: int) -> None:
    """At 4 h, past midnight."""
    step = variable(name).precision
    values = np.round(np.random.default_rng(1).uniform(0, 40, GRID.shape) / step) * step
    content = written(name, values, 4, perturbation)
    header = header_of(content)
    assert (header.variable, header.init, header.lead) == (variable(name), INIT, 4)
    assert header.member == perturbation
    with opened(content) as handle:
        assert eccodes.codes_get(handle, "productDefinitionTemplateNumber") == template
        assert eccodes.codes_get(handle, "stepRange") == "3-4"
        assert eccodes.codes_get(handle, "validityDate") == 20260602
        np.testing.assert_allclose(decode(handle), values, atol=step / 2 + 1e-4)


def test_an_analysis_is_written_without_an_hour() -> None:
    with opened(written("APCP", np.zeros(GRID.shape), 0)) as handle:
        assert eccodes.codes_get(handle, "lengthOfTimeRange") == 0
        assert read_header(handle).variable is None


@pytest.mark.parametrize(("kind", "template"), [("mean", 12), ("probability", 9)])
def test_products_of_the_last_hour(kind: str, template: int) -> None:
    (product,) = kinds()[kind].of("MXUPHL", 20, [Threshold(75.0)])
    values = np.linspace(0, 90, GRID.shape[0] * GRID.shape[1]).reshape(GRID.shape)
    with opened(encode(product, GRID, INIT, 4, values)) as handle:
        assert eccodes.codes_get(handle, "productDefinitionTemplateNumber") == template
        assert eccodes.codes_get(handle, "stepRange") == "3-4"
        assert eccodes.codes_get_long(handle, "typeOfStatisticalProcessing") == 2
        levels = [
            eccodes.codes_get(handle, f"scaledValueOf{which}FixedSurface")
            for which in ("First", "Second")
        ]
        assert levels == [5000, 2000]
        if kind == "mean":
            assert read_header(handle).variable is variable("MXUPHL")
            assert read_header(handle).statistic == "mean"
        np.testing.assert_allclose(decode(handle), values, atol=0.051)
    ending = {"mean": "ens mean", "probability": "prob >75:prob fcst 1/1"}[kind]
    assert inventory_columns(product, INIT, 4) == (
        f"d=2026060121:MXUPHL:5000-2000 m above ground:3-4 hour max fcst:{ending}"
    )


def test_the_mean_of_a_published_ensemble_keeps_its_hour() -> None:
    with Encoder(GRID, 255) as encoder:
        product = ensemble_product("APCP", "mean")
        content = encoder.encode(product, np.ones(GRID.shape), INIT, 2, members=10)
    header = header_of(content)
    assert (header.variable, header.lead, header.statistic) == (variable("APCP"), 2, "mean")


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"T2M": {"grib": {"hours": 3}}}, "T2M: grib: hours is 3, but an instantaneous value"),
        ({"CAPE": {"grib": {"second_level": 5}}}, "CAPE: grib: second_level needs surfaces"),
        ({"APCP": {"grib": {"statistic": "sum"}}}, "APCP: grib.statistic: "),
        ({"APCP": {"grib": {"hours": 0}}}, "APCP: grib.hours: "),
        ({"REFC": {"regridding": "conservative"}}, "REFC: regridding must be nearest for decibels"),
        ({"APCP": {"regridding": "bilinear"}}, "APCP: regridding must be nearest where there is"),
        ({"GALE": GALE}, "GALE: grib is that of WINDMAX"),
        ({"U10": {"regridding": "nearest"}}, "U10: regridding must be bilinear for a vector"),
    ],
)
def test_rows_that_contradict_themselves_are_refused(own: dict[str, Any], told: str) -> None:
    with pytest.raises(StormdrawError, match=f"^variable_table: {told}"):
        read_table(own)


@pytest.mark.parametrize(
    ("name", "method"), [("APCP", "sum"), ("WINDMAX", "maximum"), ("T2M", None)]
)
def test_files_tell_what_was_done_over_the_hour(name: str, method: str | None) -> None:
    expected = None if method is None else f"time: {method} (comment: over the last 1 h)"
    assert variable_attributes(name).get("cell_methods") == expected


def test_a_run_shorter_than_the_interval_is_refused() -> None:
    """A sum over three hours does not end one hour after the start."""
    config = configuration(
        archive={"source": ["aws"]},
        variable_table={"APCP": {"grib": {"hours": 3}}},
        variables=["APCP"],
    )
    with pytest.raises(StormdrawError, match="APCP is a statistic over 3 h, which a forecast of 1"):
        load_settings(config)
    config["periods"]["test"]["end"] = "2026-06-08T09"
    load_settings(config | {"leads": [3, 6]})
