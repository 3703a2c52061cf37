"""Rows of the table of variables in real files and inventories."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import eccodes
import pytest
from own_rows import HUMIDITY

from stormdraw.archive.base_model import base_model
from stormdraw.archive.request import FileRequest
from stormdraw.archive.verify import verify_file
from stormdraw.errors import StormdrawError
from stormdraw.grib_keys import Description
from stormdraw.messages import opened
from stormdraw.variables import VARIABLES, identify, names_of, use_table, variable

pytestmark = pytest.mark.usefixtures("shipped_table")


# ecCodes' own names of these variables.
REAL = {"HPBL": "blh", "GUST": "gust", "VIS": "vis", "RH2M": "2r", "T2M": "2t"}


@pytest.mark.parametrize("name", REAL)
def test_a_row_finds_its_message_in_a_real_file(real_data: Path, name: str) -> None:
    use_table({"RH2M": HUMIDITY})
    path = real_data / "hrrr_idaho" / "hrrr.20180722" / "hrrr.t05z.wrfsfcf01.grib2"
    request = FileRequest("hrrr", "sfc", (), datetime(2018, 7, 22, 5), 1, "", (name,))
    (found,) = verify_file(path, request).messages
    with opened(found.content) as handle:
        assert eccodes.codes_get(handle, "shortName") == REAL[name]
        values = eccodes.codes_get_values(handle)
    row = VARIABLES[name]
    assert values.min() >= row.lower
    assert values.max() <= row.upper


INVENTORIES = {
    "hrrr.20221014.t01z.wrfsfcf00.grib2.idx": 0,
    "hrrr.20221014.t09z.wrfsfcf05.grib2.idx": 5,
}


@pytest.mark.parametrize(("file", "lead"), INVENTORIES.items())
def test_rows_are_in_the_product_that_has_them(real_data: Path, file: str, lead: int) -> None:
    """One line each of a real inventory of single levels, and none of what is elsewhere."""
    lines = (real_data / "idx" / file).read_text().splitlines()
    for name in names_of("state", "static"):
        row = VARIABLES[name]
        found = [line for line in lines if re.search(row.inventory_pattern(lead), line)]
        # HRRR reduces pressure to sea level by another rule, as MSLMA.
        there = (
            base_model("hrrr").held(name) == "sfc" and lead >= row.shortest_lead and name != "MSLP"
        )
        assert [line.split(":")[3] for line in found] == [row.grib.abbreviation] * there, name


# Of code table 4.2 and 4.5, with what HRRR's inventory has in the line.
FURTHER = {
    (6, 3, 214): ("LCDC", "low cloud layer"),
    (6, 4, 224): ("MCDC", "middle cloud layer"),
    (6, 5, 234): ("HCDC", "high cloud layer"),
    (6, 1, 211): ("TCDC", "boundary layer cloud layer"),
    (3, 5, 215): ("HGT", "cloud ceiling"),
    (3, 5, 2): ("HGT", "cloud base"),
    (3, 5, 3): ("HGT", "cloud top"),
    (3, 5, 4): ("HGT", "0C isotherm"),
    (3, 5, 5): ("HGT", "level of adiabatic condensation from sfc"),
    (3, 5, 204): ("HGT", "highest tropospheric freezing level"),
    (3, 5, 247): ("HGT", "equilibrium level"),
    (3, 5, 20): ("HGT", "263 K level"),
    (5, 193, 8): ("USWRF", "top of atmosphere"),
}


def at(category: int, number: int, surface: int, abbreviation: str, level: int) -> dict[str, Any]:
    """A row of a configuration at a surface."""
    keys = {"discipline": 0, "category": category, "number": number, "surfaces": [surface]}
    return HUMIDITY | {"grib": keys | {"abbreviation": abbreviation, "level": level}}


@pytest.mark.parametrize(("keys", "expected"), FURTHER.items())
def test_a_row_at_any_surface_of_hrrr_has_its_line(
    real_data: Path, keys: tuple[int, int, int], expected: tuple[str, str]
) -> None:
    use_table({"FOUND": at(*keys, expected[0], 263)})
    lines = (real_data / "idx" / "hrrr.20221014.t09z.wrfsfcf05.grib2.idx").read_text().splitlines()
    pattern = variable("FOUND").inventory_pattern(5)
    (line,) = [line for line in lines if re.search(pattern, line)]
    assert tuple(line.split(":")[3:5]) == expected


@pytest.mark.parametrize(("category", "number", "surface"), [(6, 3, 214), (6, 4, 224), (6, 5, 234)])
def test_cloud_layers_of_a_real_file_are_found(
    real_data: Path, category: int, number: int, surface: int
) -> None:
    use_table({"CLOUDS": at(category, number, surface, "CDC", 0)})
    path = real_data / "hrrr_idaho" / "hrrr.20180722" / "hrrr.t05z.wrfsfcf01.grib2"
    request = FileRequest("hrrr", "sfc", (), datetime(2018, 7, 22, 5), 1, "", ("CLOUDS",))
    (found,) = verify_file(path, request).messages
    with opened(found.content) as handle:
        assert eccodes.codes_get(handle, "parameterNumber") == number


def test_native_levels_are_told_apart() -> None:
    """wgrib2 calls them `1 hybrid level`; layers of them are no variables."""
    use_table({name: at(0, 0, 105, "TMP", int(name[1:])) for name in ("T1", "T2")})
    assert variable("T1").inventory == "TMP:1 hybrid level"
    assert identify(Description((0, 0, 0), (105, 2.0))) is variable("T2")
    assert identify(Description((0, 0, 0), (105, 3.0))) is None
    own = at(0, 0, 105, "TMP", 1)
    with pytest.raises(StormdrawError, match="second_level needs surfaces that bound layers"):
        use_table({"T1": own | {"grib": own["grib"] | {"second_level": 2}}})
