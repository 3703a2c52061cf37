"""Real messages of many kinds: decoded as ecCodes decodes them, and taken for what they are."""

from datetime import datetime
from pathlib import Path

import eccodes
import numpy as np
import pytest

from stormdraw.archive.inventory import choose, read_inventory
from stormdraw.archive.request import FileRequest
from stormdraw.archive.verify import verify, verify_file
from stormdraw.grib_values import decode
from stormdraw.messages import Header, opened, read_header, read_messages
from stormdraw.variables import use_table, variable

pytestmark = pytest.mark.usefixtures("shipped_table")

# (discipline, category, number), the number of missing points, and the variable they are.
ODD = {
    "GFSE_20210416_0000_avg_f006.grb2": [((0, 0, 0), 0, "T2M")],
    "GFSE_20210416_0000_spr_f006.grb2": [((0, 0, 0), 0, "T2M")],
    "aqm.t12z.ave_1hr_o3-HI-mercator.grib2": [((0, 14, 193), 0, None)],
    "gfs.t12z.pgrb2.0p25.f023-PV-TMP-missing.grib2": [((0, 0, 0), 409_080, None)],
    "hrrr.t00z.wrfprsf00-template8.grib2": [((0, 2, 220), 0, None)],
    "hrrr.t00z.wrfsfcf00-HPBL.grib2": [((0, 3, 18), 0, "HPBL")],
    "hrrr.t06z.wrfsfcf01-CFRZR.grib2": [((0, 1, 34), 0, None)],
    # Of the ground, not at 2 m.
    "hrrr.t06z.wrfsfcf01-TMP.grib2": [((0, 0, 0), 0, None)],
    # Extremes of ensembles over a day, and probabilities and percentiles of them.
    "s2s-pdt9-pdt10-pdt12.grib2": [((0, 0, 0), 0, None)] * 10,
}
MAMMOTH = [f"hrrr.t{hour}z.wrfsfcf{lead:02d}.grib2" for hour in (14, 15, 16, 17) for lead in (0, 1)]


def headers(path: Path) -> list[Header]:
    found = []
    for message in read_messages(path):
        with opened(message) as handle:
            found.append(read_header(handle))
    return found


def _north_first(handle: int) -> bool:
    first = eccodes.codes_get(handle, "latitudeOfFirstGridPointInDegrees")
    if eccodes.codes_get(handle, "gridType") == "lambert":
        # HRRR's southernmost corner, and those of its crops in California.
        return first > 45.0
    return first > eccodes.codes_get(handle, "latitudeOfLastGridPointInDegrees")


def require_same(path: Path) -> list[int]:
    """Compare a file's messages with ecCodes; return the numbers of missing points."""
    found = []
    for message in read_messages(path):
        with opened(message) as handle:
            shape = eccodes.codes_get(handle, "Nj"), eccodes.codes_get(handle, "Ni")
            north_first = _north_first(handle)
            eccodes.codes_set(handle, "missingValue", -1e30)
            values = eccodes.codes_get_values(handle).reshape(shape)
            found.append(eccodes.codes_get(handle, "numberOfMissing"))
        values[values == -1e30] = np.nan
        if north_first:
            values = values[::-1]
        with opened(message) as handle:
            field = decode(handle)
        np.testing.assert_array_equal(field, values.astype(np.float32))
        assert np.isnan(field).sum() == found[-1]
    return found


@pytest.mark.parametrize("name", ODD)
def test_odd_messages_hold_what_eccodes_reads(real_data: Path, name: str) -> None:
    missing = require_same(real_data / "odd_grib" / name)
    assert missing == [number for _, number, _ in ODD[name]]


def test_a_field_of_no_bits_is_zero_everywhere(real_data: Path) -> None:
    (content,) = read_messages(real_data / "odd_grib" / "hrrr.t06z.wrfsfcf01-CFRZR.grib2")
    with opened(content) as handle:
        assert eccodes.codes_get(handle, "bitsPerValue") == 0
        assert decode(handle).shape == (1059, 1799)
        assert not decode(handle).any()


@pytest.mark.parametrize("name", MAMMOTH)
def test_crops_of_analyses_and_of_their_forecasts_hold_what_eccodes_reads(
    real_data: Path, name: str
) -> None:
    path = real_data / "hrrr_mammoth" / "hrrr.20191001" / name
    require_same(path)
    hour, lead = int(name[6:8]), int(name[-7])
    found = headers(path)
    assert {header.init.hour for header in found} == {hour}
    assert {header.lead for header in found} == {lead}
    names = [header.variable.name for header in found if header.variable]
    # Rain over no time at all is not the last hour's.
    assert sorted(names) == sorted(["OROG", "T2M", "U10", "V10", *(["APCP"] if lead else [])])


def test_real_rain_is_that_of_the_hour(real_data: Path) -> None:
    """0.11 mm at most, on steps of 0.01 mm."""
    path = real_data / "hrrr_mammoth" / "hrrr.20191001" / "hrrr.t15z.wrfsfcf01.grib2"
    request = FileRequest("hrrr", "sfc", (), datetime(2019, 10, 1, 15), 1, "", ("APCP",))
    (found,) = verify_file(path, request).messages
    with opened(found.content) as handle:
        rain = decode(handle)
    assert (rain.min(), rain.max()) == (0.0, np.float32(0.11))
    np.testing.assert_allclose(rain * 100, np.rint(rain * 100), atol=1e-5)


@pytest.mark.parametrize("name", ODD)
def test_odd_messages_are_taken_for_what_they_are(real_data: Path, name: str) -> None:
    found = headers(real_data / "odd_grib" / name)
    assert [header.variable and header.variable.name for header in found] == [
        expected for _, _, expected in ODD[name]
    ]


def test_the_mean_of_an_ensemble_says_so(real_data: Path) -> None:
    """GEFS codes its spread of 2021 as that about the mean of a cluster."""
    for kind, statistic in (("avg", "mean"), ("spr", "other")):
        path = real_data / "odd_grib" / f"GFSE_20210416_0000_{kind}_f006.grb2"
        (header,) = headers(path)
        assert (header.statistic, header.lead) == (statistic, 6)


def test_a_row_of_a_days_minimum_finds_those_of_an_ensemble(real_data: Path) -> None:
    """Template 4.12 of 24 h; those of probabilities and percentiles are no fields of a forecast."""
    use_table({"T2M": {"grib": {"statistic": "minimum", "hours": 24}}})
    found = headers(real_data / "odd_grib" / "s2s-pdt9-pdt10-pdt12.grib2")
    assert [header.variable for header in found] == [variable("T2M"), *[None] * 9]
    assert found[0].lead == 24


def test_a_quarter_of_an_hour_is_never_an_hour(real_data: Path) -> None:
    """By its header and by its inventory."""
    path = real_data / "hrrr_conus" / "hrrr.wrfsubhf.sample.grib2"
    init = datetime(2022, 10, 14, 1)
    for lead in (0, 1):
        wanted = FileRequest("hrrr", "sfc", (), init, lead, "", ("REFC",))
        (fault,) = verify(read_messages(path), wanted).lacking.values()
        assert fault is not None
        assert "but its header says 2022-10-14 01 UTC + a part of an hour" in fault.finding
    lines = read_inventory(
        "1:0:d=2022101401:REFC:entire atmosphere:15 min fcst:\n"
        "2:9:d=2022101401:REFC:entire atmosphere:60 min fcst:\n"
        "3:20:d=2022101401:WIND:10 m above ground:0-15 min max fcst:\n"
        "4:30:d=2022101401:APCP:surface:45-60 min acc fcst:\n"
    )
    for lead in (0, 1):
        wanted = FileRequest("hrrr", "sfc", (), init, lead, "", ("REFC", "WINDMAX", "APCP"))
        assert choose(lines, wanted).offsets == ()
