"""GRIB2 files of others: members in one file or in many, on any grid that ecCodes knows."""

from datetime import datetime

import eccodes
import numpy as np
import pytest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.curvilinear import CurvilinearGrid
from stormdraw.errors import StormdrawError
from stormdraw.external.reading import open_forecast, open_state
from stormdraw.external.settings import ExternalFiles
from stormdraw.grib_encoding import interval_keys, new_message, pack, set_keys, surface_keys
from stormdraw.grids import Grid, latitude_longitude
from stormdraw.report.grib_products import encode
from stormdraw.report.products import mean, spread
from stormdraw.variables import variable

INIT = datetime(2026, 6, 8, 6)
LEADS = (1, 3)
MEMBERS = (0, 1, 4)
GRID = HRRR.crop(slice(480, 484), slice(880, 886))
DEGREES = latitude_longitude(354.0, 360.5, 50.0, 51.0, (3, 14))

_CONTROL, _POSITIVE = 1, 3


def value(name: str, member: int, lead: int, grid: Grid = GRID) -> np.ndarray:
    """Whole hundredths, rows from south to north, which GRIB keeps exactly."""
    y, x = np.meshgrid(*(np.arange(side) for side in grid.shape), indexing="ij")
    start = {"T2M": 280.0, "U10": 3.0, "V10": 5.0, "APCP": 8.0}[name]
    return (start + member + lead / 10 + y / 100 + x / 20).astype(np.float32)


def message(
    name: str, member: int | None, lead: int, grid: Grid = GRID, init=INIT, **keys
) -> bytes:
    """A member's message of template 4.1 or 4.11, or of 4.0 or 4.8 if it names none."""
    grib = variable(name).grib
    template = (0, 8) if member is None else (1, 11)
    header = {
        "dataDate": int(f"{init:%Y%m%d}"),
        "dataTime": init.hour * 100,
        "forecastTime": lead,
        **surface_keys(*grib.first_surface, grib.top),
    }
    if not grib.instantaneous:
        header |= interval_keys(init, lead, grib.hours, 1)
    if member is not None:
        header["typeOfEnsembleForecast"] = _POSITIVE if member else _CONTROL
        header["perturbationNumber"] = member
    with new_message(grid, grib.parameter, template[not grib.instantaneous], header) as handle:
        set_keys(handle, keys)
        pack(handle, value(name, member or 0, lead, grid), digits=2)
        return eccodes.codes_get_message(handle)


def ensemble(**keys) -> list[bytes]:
    return [message("T2M", member, lead, **keys) for member in MEMBERS for lead in LEADS]


def opened(path, names=("T2M",), leads=LEADS, **layout):
    settings = ExternalFiles(path=str(path), layout=layout)
    return open_forecast(settings, "theirs", INIT, names, leads)


def all_read(forecast):
    """T2M (member, lead, y, x) of all members."""
    return np.array([[forecast.field("T2M", m, lead) for lead in LEADS] for m in forecast.members])


def written(members=MEMBERS, grid=GRID):
    return np.array([[value("T2M", member, lead, grid) for lead in LEADS] for member in members])


def test_all_members_in_one_file(tmp_path):
    (tmp_path / "2026060806.grib2").write_bytes(b"".join(ensemble()))
    with opened(tmp_path / "{init:%Y%m%d%H}.grib2", leads=(*LEADS, 6)) as forecast:
        assert forecast.members == list(MEMBERS)
        assert forecast.grid.matches(GRID)
        np.testing.assert_allclose(all_read(forecast), written(), rtol=3e-7)
        assert forecast.field("T2M", 2, 1) is None
        assert forecast.field("T2M", 0, 6) is None
        assert forecast.field("D2M", 0, 1) is None


@pytest.mark.parametrize("named", [True, False], ids=["template 4.1", "template 4.0"])
def test_one_file_a_member_and_lead(tmp_path, named):
    for member in MEMBERS:
        for lead in LEADS:
            own = message("T2M", member if named else None, lead)
            (tmp_path / f"m{member:02d}.f{lead:02d}.grb2").write_bytes(own)
    with opened(tmp_path / "m{member:02d}.f{lead:02d}.grb2") as forecast:
        assert forecast.members == list(MEMBERS)
        for member in MEMBERS:
            expected = value("T2M", member if named else 0, 3)
            np.testing.assert_allclose(forecast.field("T2M", member, 3), expected, rtol=3e-7)


def test_a_deterministic_file_is_one_member(tmp_path):
    (tmp_path / "a.grib2").write_bytes(message("T2M", None, 1))
    with opened(tmp_path / "a.grib2") as forecast:
        assert forecast.members == [0]
        np.testing.assert_allclose(forecast.field("T2M", 0, 1), value("T2M", 0, 1), rtol=3e-7)


def test_rows_from_north_to_south_beyond_greenwich(tmp_path):
    content = b"".join(message("T2M", 1, lead, grid=DEGREES) for lead in LEADS)
    (tmp_path / "a.grib2").write_bytes(content)
    with opened(tmp_path / "a.grib2") as forecast:
        assert forecast.grid.matches(DEGREES)
        np.testing.assert_allclose(all_read(forecast), written((1,), DEGREES), rtol=3e-7)


def test_a_statistic_over_the_last_hour(tmp_path):
    sums = [message("APCP", 1, lead) for lead in LEADS]
    over_three = message("APCP", 1, 3, lengthOfTimeRange=3, forecastTime=0)
    (tmp_path / "a.grib2").write_bytes(b"".join([*sums, over_three]))
    with opened(tmp_path / "a.grib2", ["APCP"]) as forecast:
        np.testing.assert_allclose(forecast.field("APCP", 1, 3), value("APCP", 1, 3), rtol=1e-6)


@pytest.mark.parametrize("flag", [True, False])
def test_winds_follow_what_the_header_says(tmp_path, flag):
    content = [
        message(name, 1, lead, uvRelativeToGrid=int(flag))
        for name in ("U10", "V10")
        for lead in LEADS
    ]
    (tmp_path / "a.grib2").write_bytes(b"".join(content))
    with opened(tmp_path / "a.grib2", ["U10", "V10"]) as forecast:
        assert forecast.grid_relative_winds is flag
    with opened(tmp_path / "a.grib2", ["U10", "V10"], winds="compass") as forecast:
        assert not forecast.grid_relative_winds


def test_products_of_ours_come_back(tmp_path):
    """Template 4.2: the mean and spread are found by `statistic`, and members are not."""
    for kind in (mean, spread):
        product = kind.PRODUCT("T2M", 20)
        content = encode(product, GRID, INIT, 3, value("T2M", 0, 3))
        (tmp_path / f"{product.kind()}.grib2").write_bytes(content)
    with opened(tmp_path / "mean.grib2", statistic="mean") as forecast:
        assert forecast.members == [0]
        np.testing.assert_allclose(forecast.field("T2M", 0, 3), value("T2M", 0, 3), rtol=3e-7)
    with (
        opened(tmp_path / "mean.grib2", statistic="spread") as forecast,
        pytest.raises(StormdrawError, match="holds no variables; expected some of T2M"),
    ):
        _ = forecast.members


def test_an_analysis_by_its_valid_time(tmp_path):
    (tmp_path / "a.grib2").write_bytes(message("T2M", None, 0) + message("T2M", None, 3))
    settings = ExternalFiles(path=str(tmp_path / "a.grib2"))
    with open_state(settings, "truth", INIT, ["T2M"]) as state:
        np.testing.assert_allclose(state.field("T2M"), value("T2M", 0, 0), rtol=3e-7)
    with open_state(settings, "truth", datetime(2026, 6, 8, 9), ["T2M"]) as state:
        np.testing.assert_allclose(state.field("T2M"), value("T2M", 0, 3), rtol=3e-7)
    with open_state(settings, "truth", datetime(2026, 6, 8, 10), ["T2M"]) as state:
        assert state.field("T2M") is None


def sample(grid: dict[str, object], kind: str = "GRIB2") -> tuple[bytes, np.ndarray, np.ndarray]:
    """A message of 2 m temperature on a grid of ecCodes, and its longitudes and latitudes."""
    handle = eccodes.codes_new_from_samples(kind, eccodes.CODES_PRODUCT_GRIB)
    try:
        keys = {
            **grid,
            "dataDate": 20260608,
            "dataTime": 600,
            "shortName": "2t",
            "forecastTime": 1,
            "bitsPerValue": 24,
        }
        for key, given in keys.items():
            eccodes.codes_set(handle, key, given)
        if grid:
            eccodes.codes_set_values(handle, np.arange(float(EQUAL_AREA["Nx"] * EQUAL_AREA["Ny"])))
        places = [eccodes.codes_get_array(handle, key) for key in ("longitudes", "latitudes")]
        # A field that tells where it is: its value is the sum of the sines of both angles.
        eccodes.codes_set_values(handle, 280 + sum(np.sin(np.deg2rad(place)) for place in places))
        return eccodes.codes_get_message(handle), *places
    finally:
        eccodes.codes_release(handle)


ROTATED = {
    "gridType": "rotated_ll",
    "Ni": 8,
    "Nj": 6,
    "latitudeOfFirstGridPointInDegrees": 2.0,
    "longitudeOfFirstGridPointInDegrees": 358.0,
    "latitudeOfLastGridPointInDegrees": 0.0,
    "longitudeOfLastGridPointInDegrees": 0.8,
    "iDirectionIncrementInDegrees": 0.4,
    "jDirectionIncrementInDegrees": 0.4,
    "latitudeOfSouthernPoleInDegrees": -37.5,
    "longitudeOfSouthernPoleInDegrees": 357.5,
}
EQUAL_AREA = {
    "gridType": "lambert_azimuthal_equal_area",
    "Nx": 8,
    "Ny": 6,
    "latitudeOfFirstGridPointInDegrees": 49.0,
    "longitudeOfFirstGridPointInDegrees": 355.0,
    "standardParallelInDegrees": 54.9,
    "centralLongitudeInDegrees": 357.5,
    "DxInMetres": 20000,
    "DyInMetres": 20000,
    "shapeOfTheEarth": 6,
    "jScansPositively": 1,
}


@pytest.mark.parametrize("grid", [ROTATED, EQUAL_AREA], ids=["rotated pole", "equal area"])
def test_other_maps_are_grids_by_the_places_of_their_points(tmp_path, grid):
    content, _, latitude = sample(grid)
    (tmp_path / "a.grib2").write_bytes(content)
    with opened(tmp_path / "a.grib2") as forecast:
        field = forecast.field("T2M", 0, 1)
        assert isinstance(forecast.grid, CurvilinearGrid)
        assert forecast.grid.shape == field.shape == (6, 8)
        own_longitude, own_latitude = np.deg2rad(forecast.grid.longitude_latitude())
    assert (np.diff(own_latitude, axis=0) > 0).all()
    np.testing.assert_allclose(field, 280 + np.sin(own_longitude) + np.sin(own_latitude), atol=1e-4)
    assert sorted(np.rad2deg(own_latitude).ravel()) == pytest.approx(sorted(latitude))


def test_a_reduced_gaussian_grid_is_a_list_of_points(tmp_path):
    content, longitude, latitude = sample({}, "reduced_gg_pl_32_grib2")
    (tmp_path / "a.grib2").write_bytes(content)
    with opened(tmp_path / "a.grib2") as forecast:
        field = forecast.field("T2M", 0, 1)
        assert forecast.grid.is_list
        np.testing.assert_array_equal(forecast.grid.longitude[0], longitude)
    expected = 280 + np.sin(np.deg2rad(longitude)) + np.sin(np.deg2rad(latitude))
    np.testing.assert_allclose(field[0], expected, atol=1e-4)


def test_parameters_may_be_named_by_keys(tmp_path):
    """Another parameter than the table's: here the temperature of the surface."""
    with new_message(GRID, (0, 0, 0), 0, surface_keys(1, 0)) as handle:
        set_keys(handle, {"dataDate": 20260608, "dataTime": 600, "forecastTime": 1})
        pack(handle, value("T2M", 0, 1), digits=2)
        skin = eccodes.codes_get_message(handle)
    (tmp_path / "a.grib2").write_bytes(skin)
    with opened(tmp_path / "a.grib2") as forecast, pytest.raises(StormdrawError):
        _ = forecast.members
    by_key = {"T2M": {"at": {"shortName": "t", "typeOfFirstFixedSurface": "sfc"}}}
    with opened(tmp_path / "a.grib2", variables=by_key) as forecast:
        np.testing.assert_allclose(forecast.field("T2M", 0, 1), value("T2M", 0, 1), rtol=3e-7)
    other = {"T2M": {"name": "t", "at": {"level": 5}}}
    with opened(tmp_path / "a.grib2", variables=other) as forecast, pytest.raises(StormdrawError):
        _ = forecast.members


def refused(path, member=0, lead=1, **layout):
    with pytest.raises(StormdrawError) as caught, opened(path, **layout) as forecast:
        forecast.field("T2M", member, lead)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_message_twice(tmp_path):
    (tmp_path / "a.grib2").write_bytes(b"".join([*ensemble(), message("T2M", 4, 3)]))
    with opened(tmp_path / "a.grib2") as forecast:
        assert forecast.field("T2M", 4, 1) is not None
    assert "holds T2M at 3 hours more than once for a member; expected once" in refused(
        tmp_path / "a.grib2", 4, 3
    )


def test_several_members_in_the_file_of_one(tmp_path):
    (tmp_path / "m4.grib2").write_bytes(b"".join(ensemble()))
    assert "m4.grib2: holds T2M at 1 hours more than once for a member" in refused(
        tmp_path / "m{member}.grib2", 4
    )


def test_times_other_than_those_of_the_path(tmp_path):
    other = datetime(2026, 6, 8, 5)
    (tmp_path / "2026060806.f01.grib2").write_bytes(message("T2M", 0, 1, init=other))
    assert (
        "2026060806.f01.grib2: a message is of 2026-06-08 05:00 UTC and 1 hours later; expected "
        "the initial time of its path, 2026-06-08 06:00 UTC"
    ) in refused(tmp_path / "{init:%Y%m%d%H}.f{lead:02d}.grib2")
    (tmp_path / "2026060806.f01.grib2").write_bytes(message("T2M", 0, 3))
    assert "T2M is at 3 hours; expected the lead of its path, 1 hours" in refused(
        tmp_path / "{init:%Y%m%d%H}.f{lead:02d}.grib2"
    )


def test_another_case_in_a_file_of_many(tmp_path):
    other = message("T2M", 1, 1, init=datetime(2026, 6, 8, 5))
    (tmp_path / "a.grib2").write_bytes(b"".join([*ensemble(), other]))
    with opened(tmp_path / "a.grib2") as forecast:
        assert forecast.members == list(MEMBERS)
        np.testing.assert_allclose(all_read(forecast), written(), rtol=3e-7)


def test_a_file_of_a_day_holds_other_times_too(tmp_path):
    """The path says the day alone: messages of other runs or hours are no mistake."""
    others = [message("T2M", 1, 1, init=datetime(2026, 6, 8, hour)) for hour in (5, 7)]
    (tmp_path / "20260608.grib2").write_bytes(b"".join([*others, *ensemble()]))
    with opened(tmp_path / "{init:%Y%m%d}.grib2") as forecast:
        assert forecast.members == list(MEMBERS)
        np.testing.assert_allclose(all_read(forecast), written(), rtol=3e-7)
    hourly = [message("T2M", None, 0, init=datetime(2026, 6, 8, hour)) for hour in (5, 6, 7)]
    (tmp_path / "truth_20260608.grib2").write_bytes(b"".join(hourly))
    settings = ExternalFiles(path=str(tmp_path / "truth_{valid:%Y%m%d}.grib2"))
    with open_state(settings, "truth", INIT, ["T2M"]) as state:
        np.testing.assert_allclose(state.field("T2M"), value("T2M", 0, 0), rtol=3e-7)


def test_a_file_that_is_cut_off(tmp_path):
    (tmp_path / "a.grib2").write_bytes(message("T2M", 0, 1)[:-20])
    assert "a.grib2: the message at byte 0 should be" in refused(tmp_path / "a.grib2")


def test_a_grid_whose_points_are_unknown(tmp_path):
    """Waves of the whole globe."""
    handle = eccodes.codes_new_from_samples("sh_ml_grib2", eccodes.CODES_PRODUCT_GRIB)
    for key, given in (("dataDate", 20260608), ("dataTime", 600), ("forecastTime", 1)):
        eccodes.codes_set(handle, key, given)
    content = message("T2M", 0, 3) + eccodes.codes_get_message(handle)
    eccodes.codes_release(handle)
    (tmp_path / "a.grib2").write_bytes(content)
    said = refused(tmp_path / "a.grib2", variables={"T2M": {"at": {"shortName": "t"}}})
    first = len(message("T2M", 0, 3))
    assert said.startswith(f"{tmp_path}/a.grib2: at byte {first}: a message on a sh grid, of which")


def test_a_message_of_an_impossible_time(tmp_path):
    content = bytearray(message("T2M", 0, 1))
    # Section 1 follows the 16 bytes of section 0; its month is its 15th byte.
    content[16 + 14] = 13
    (tmp_path / "a.grib2").write_bytes(content)
    assert "a.grib2: at byte 0: the message has an invalid time: 2026-13-8" in refused(
        tmp_path / "a.grib2"
    )


def test_hrrrcast_names_members_in_its_paths(tmp_path):
    """Template 4.0 in files whose names end in no format."""
    for member in MEMBERS:
        folder = tmp_path / "20260608" / "06"
        folder.mkdir(parents=True, exist_ok=True)
        for lead in LEADS:
            own = message("T2M", None, lead)
            (folder / f"hrrrcast.m{member:02d}.t06z.pgrb2.f{lead:02d}").write_bytes(own)
        (folder / "hrrrcast.avg.t06z.pgrb2.f01").write_bytes(message("T2M", None, 1))
    path = f"{tmp_path}/{{init:%Y%m%d}}/{{init:%H}}/hrrrcast.m{{member:02d}}.t{{init:%H}}z.pgrb2"
    settings = ExternalFiles(path=path + ".f{lead:02d}", preset="hrrrcast")
    with open_forecast(settings, "hrrrcast", INIT, ["T2M"], LEADS) as forecast:
        assert forecast.members == list(MEMBERS)
        np.testing.assert_allclose(forecast.field("T2M", 4, 3), value("T2M", 0, 3), rtol=3e-7)
