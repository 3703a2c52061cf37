"""Presets on files that their own programs wrote, which `written_by_others` has with recipes."""

import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from ensemble_files import INIT, LAMBERT, ensemble, lambert_degrees, on_degrees

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.external.reading import open_forecast, open_state
from stormdraw.external.settings import ExternalFiles
from stormdraw.fields.regridding import Regridder
from stormdraw.grids import latitude_longitude

HERE = Path(__file__).with_name("written_by_others")
# Seven columns and five rows around the point that HRRR's 1799 and 1059 have in the middle.
HRRR_MIDDLE = HRRR.crop(slice(527, 532), slice(896, 903))
LATITUDES, LONGITUDES = (50.0, 50.5, 51.0, 51.5), (-3.0, -2.0, -1.0, 0.0, 1.0)


def written(member: int, lead: int) -> np.ndarray:
    """What the recipes write, in the order of their files: rows by index, whatever the latitude."""
    y, x = np.meshgrid(np.arange(4), np.arange(5), indexing="ij")
    return (280 + member + lead / 10 + y / 100 + x / 1000).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("written")
    for name in ("earth2studio", "anemoi"):
        with zipfile.ZipFile(HERE / f"{name}.zip") as archive:
            archive.extractall(target)
    return target


def opened(path, preset, variables=("T2M",), leads=(1, 3), **layout):
    settings = ExternalFiles(path=str(path), preset=preset, layout=layout)
    return open_forecast(settings, "theirs", INIT, variables, leads)


@pytest.mark.parametrize("name", ["regular.zarr", "regular.nc"])
def test_earth2studio_on_latitudes_and_longitudes(folder, name):
    with opened(folder / name, "earth2studio", leads=(1, 2, 3)) as forecast:
        assert forecast.members == [0, 1, 2]
        assert forecast.grid.geographic
        assert forecast.grid.y == pytest.approx(LATITUDES)
        assert (np.array(forecast.grid.x) + 180) % 360 - 180 == pytest.approx(LONGITUDES)
        for member in forecast.members:
            for lead in (1, 3):
                field = forecast.field("T2M", member, lead)
                np.testing.assert_array_equal(field, written(member, lead)[::-1])
        assert forecast.field("T2M", 0, 2) is None
        assert forecast.field("REFC", 0, 1) is None


def test_earth2studio_on_hrrrs_map_and_by_places(folder):
    with opened(folder / "hrrr.zarr", "earth2studio") as by_map:
        np.testing.assert_array_equal(by_map.field("T2M", 2, 3), written(2, 3))
        np.testing.assert_allclose(by_map.grid.longitude_latitude(), lambert_degrees(), atol=1e-9)
    with opened(folder / "2d.zarr", "earth2studio") as by_places:
        np.testing.assert_array_equal(by_places.field("T2M", 2, 3), written(2, 3))
        longitude, latitude = by_places.grid.longitude_latitude()
    np.testing.assert_allclose((longitude - 360, latitude), lambert_degrees(), atol=1e-9)
    assert Regridder(by_places.grid, by_map.grid).identical


@pytest.mark.parametrize("ending", ["nc", "zarr"])
def test_anemoi_with_the_shape_of_its_list_of_points(folder, ending):
    path = folder / f"m{{member}}.{ending}"
    if ending == "zarr":
        # Zarr of anemoi has no initial time: the path does, as a user's would.
        for member in (1, 2, 3):
            link = folder / f"2026060806_m{member}.zarr"
            if not link.exists():
                link.symlink_to(folder / f"m{member}.zarr")
        path = folder / "{init:%Y%m%d%H}_m{member}.zarr"
    with opened(path, "anemoi", shape=[4, 5]) as forecast:
        assert forecast.members == [1, 2, 3]
        assert forecast.grid.geographic
        assert forecast.grid.y == pytest.approx(LATITUDES)
        for member in (1, 2, 3):
            field = forecast.field("T2M", member, 3)
            np.testing.assert_array_equal(field, written(member, 3)[::-1])
    with opened(path, "anemoi") as forecast:
        assert forecast.grid.is_list
        target = latitude_longitude(-2.9, 0.1, 50.1, 51.5, (3, 4))
        regridder = Regridder(forecast.grid, target)
        found = regridder.bilinear(regridder.cut(forecast.field("T2M", 1, 1)))
    by_hand = written(1, 1)[::-1][np.ix_([0, 2, 3], [0, 1, 2, 3])]
    np.testing.assert_array_equal(found, by_hand)


def test_weatherbenchx_before_and_after_its_renaming(tmp_path):
    """Stores as its loader describes them; none was at hand."""
    own = on_degrees(ensemble(), np.array(LATITUDES), np.array(LONGITUDES)).drop_vars("start")
    own = own.drop_vars(["lead", "time"]).rename(
        realization="number", temperature="2m_temperature", time="prediction_timedelta"
    )
    del own["2m_temperature"].attrs["units"]
    old = own.assign_coords(
        prediction_timedelta=np.array([1, 3, 6], "timedelta64[h]").astype("timedelta64[ns]"),
        time=("time", np.array([INIT], "datetime64[ns]")),
    )
    old["2m_temperature"] = old["2m_temperature"].expand_dims(time=1)
    old = old.transpose("time", "number", "prediction_timedelta", "x", "y")
    old = old.swap_dims(y="latitude", x="longitude")
    old.to_zarr(tmp_path / "old.zarr", zarr_format=2)
    new = old.rename(time="init_time", prediction_timedelta="lead_time")
    new.to_zarr(tmp_path / "new.zarr", zarr_format=3)
    for name in ("old", "new"):
        with opened(tmp_path / f"{name}.zarr", "weatherbenchx") as forecast:
            assert forecast.members == [0, 2, 7]
            assert forecast.grid.y == LATITUDES
            expected = own["2m_temperature"].values[1, 1]
            np.testing.assert_array_equal(forecast.field("T2M", 2, 3), expected)


def test_weatherbenchx_analyses(tmp_path):
    times = np.array([INIT, INIT + timedelta(hours=1)], "datetime64[ns]")
    values = np.stack([written(0, 0), written(5, 0)])
    xr.Dataset(
        {"2m_temperature": (("time", "latitude", "longitude"), values)},
        coords={"time": times, "latitude": list(LATITUDES), "longitude": list(LONGITUDES)},
    ).to_zarr(tmp_path / "era5.zarr")
    settings = ExternalFiles(path=str(tmp_path / "era5.zarr"), preset="weatherbenchx")
    with open_state(settings, "truth", INIT + timedelta(hours=1), ["T2M"]) as state:
        np.testing.assert_array_equal(state.field("T2M"), written(5, 0))
    with open_state(settings, "truth", datetime(2026, 7, 1), ["T2M"]) as state:
        assert state.field("T2M") is None


def test_a_store_that_fsspec_finds(tmp_path):
    """The same by a URL, here of files; members are found by listing."""
    for member in (1, 2):
        part = ensemble().sel(realization=2 if member == 2 else 0)
        part.to_zarr(tmp_path / f"m{member}.zarr")
        part.to_netcdf(tmp_path / f"m{member}.nc")
    for ending in ("zarr", "nc"):
        settings = ExternalFiles(
            path=f"file://{tmp_path}/m{{member}}.{ending}",
            layout={"variables": {"T2M": "temperature"}},
        )
        with open_forecast(settings, "theirs", INIT, ["T2M"], [3]) as forecast:
            assert forecast.members == [1, 2]
            expected = ensemble()["temperature"].sel(realization=2).values[1]
            np.testing.assert_array_equal(forecast.field("T2M", 2, 3), expected)
            assert forecast.field("T2M", 3, 3) is None


def hrrrcast(member: int, lead: int, later: bool) -> xr.Dataset:
    """The middle of HRRR's grid as HRRRCast's code writes it: before and after it followed CF."""
    longitude, latitude = HRRR_MIDDLE.longitude_latitude()
    rows, columns = np.indices(HRRR_MIDDLE.shape)
    field = 280.0 + member + lead / 10 + rows / 100 + columns / 1000
    time = INIT + timedelta(hours=lead) if later else INIT
    leading = ("lead_time", "time") if later else ("time", "lead_time")
    across = ("y", "x") if later else ("latitude", "longitude")
    dataset = xr.Dataset(
        {
            "T2M": ((*leading, *across), field[None, None].astype("f4")),
            "TMP": ((*leading, "level", *across), np.stack([field - 40, field - 9])[None, None]),
            "UGRD10M": ((*leading, *across), (field[None, None] - 278).astype("f4")),
            "VGRD10M": ((*leading, *across), (field[None, None] - 283).astype("f4")),
        },
        coords={
            "time": ("time", np.array([time], "datetime64[ns]")),
            "lead_time": ("lead_time", [lead], {"units": "hours"}),
            "level": [500, 850],
            "latitude": (across, latitude),
            "longitude": (across, longitude),
        },
    )
    if not later:
        return dataset
    mapping = {**LAMBERT, "false_easting": 0.0, "false_northing": 0.0}
    dataset["grid_mapping"] = xr.DataArray(np.int32(0), attrs=mapping)
    for name, units in (("T2M", "K"), ("TMP", "K"), ("UGRD10M", "m s-1"), ("VGRD10M", "m s-1")):
        dataset[name].attrs = {"units": units, "grid_mapping": "grid_mapping"}
    dataset["time"].attrs = {"standard_name": "time", "axis": "T"}
    dataset["lead_time"].attrs |= {"standard_name": "forecast_period"}
    dataset["latitude"].attrs = {"standard_name": "latitude", "units": "degrees_north"}
    dataset["longitude"].attrs = {"standard_name": "longitude", "units": "degrees_east"}
    for axis, size in zip("yx", HRRR_MIDDLE.shape, strict=True):
        said = {"standard_name": f"projection_{axis}_coordinate", "units": "m"}
        dataset[axis] = (axis, (np.arange(size) - (size - 1) / 2) * 3000.0, said)
    start = xr.DataArray(
        np.datetime64(INIT, "ns"), attrs={"standard_name": "forecast_reference_time"}
    )
    return dataset.assign_coords(forecast_reference_time=start)


@pytest.mark.parametrize(
    ("name", "later"),
    [("mem{member}_f{lead:02d}", False), ("m{member:02d}_f{lead:02d}", True)],
    ids=["earlier", "later"],
)
def test_hrrrcast_in_netcdf_lies_on_hrrrs_points(tmp_path, name, later):
    for member in (0, 11):
        for lead in (1, 3):
            file = f"hrrrcast_{name}.nc".format(member=member, lead=lead)
            hrrrcast(member, lead, later).to_netcdf(tmp_path / file)
    hrrrcast(5, 1, later).to_netcdf(tmp_path / "hrrrcast_avg_f01.nc")
    names = ("T2M", "T850", "U10", "V10")
    with opened(tmp_path / f"hrrrcast_{name}.nc", "hrrrcast_netcdf", names) as forecast:
        assert forecast.members == [0, 11]
        assert forecast.grid_relative_winds
        assert Regridder(forecast.grid, HRRR_MIDDLE).identical
        expected = hrrrcast(11, 3, later)
        np.testing.assert_array_equal(forecast.field("T2M", 11, 3), expected["T2M"][0, 0])
        upper = expected["TMP"].sel(level=850).values[0, 0].astype("f4")
        np.testing.assert_array_equal(forecast.field("T850", 11, 3), upper)


def test_hrrrcast_is_grib_whatever_its_names_end_in(tmp_path):
    path = "{init:%Y%m%d}/{init:%H}/hrrrcast.m{member:02d}.t{init:%H}z.pgrb2.f{lead:02d}"
    assert ExternalFiles(path=path, preset="hrrrcast").format == "grib"
