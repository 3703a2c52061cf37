"""What is particular to each base model, in files laid out as on its bucket.

HRRR-AK: NWS SCN 18-58. RRFS: a census of the public bucket (dynamical-org/reformatters issue 1069).
"""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyproj
import pytest
import xarray as xr
from archive_inventory import write_inventory
from base_model_runs import DAY, run_of

import stormdraw.archive.base_models
from stormdraw.archive.base_model import base_model, base_models, usual_base_model
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import OK, ManifestRow, read_manifest, write_manifest
from stormdraw.archive.request import FileRequest
from stormdraw.archive.settings import Archive
from stormdraw.archive.sources import Cloud, candidates, place_of
from stormdraw.errors import StormdrawError
from stormdraw.fields.expected_grid import archive_grid, archive_shape
from stormdraw.fields.forecasts import Cycle, regrid_members
from stormdraw.fields.normalise import normalise_day
from stormdraw.fields.settings import Fields
from stormdraw.fields.target import Target
from stormdraw.fields.writing import Destination
from stormdraw.grib_encoding import new_message, pack, set_keys, surface_keys
from stormdraw.grid_headers import read_grid
from stormdraw.grids import Grid
from stormdraw.membership import Member
from stormdraw.variables import variable

import eccodes  # isort: skip  (after stormdraw)

pytestmark = pytest.mark.usefixtures("shipped_table")

HOURS = range(8)

# Paths below the bucket: at hour 7, Alaska has no run of its own.
PATHS = {
    "hrrr": "hrrr.20260901/conus/hrrr.t{0:02d}z.wrfsfcf{1:02d}.grib2",
    "hrrrak": "hrrr.20260901/alaska/hrrr.t{0:02d}z.wrfsfcf{1:02d}.ak.grib2",
    "rrfs": "rrfs.20260901/{0:02d}/rrfs.t{0:02d}z.2dfld.3km.f{1:03d}.conus.grib2",
}
FLOORS = {"hrrr": -10.0, "hrrrak": -10.0, "rrfs": -20.0}
AROUND = (slice(400, 406), slice(600, 607))


def grid_of(model: str) -> Grid:
    """A few points of the model's grid."""
    return base_model(model).grid.crop(*AROUND)


def message(
    grid: Grid, name: str, values: np.ndarray, init: datetime, lead: int, along_axes: bool = True
) -> bytes:
    """A field whose winds point along the grid's axes, or else east and north."""
    row = variable(name)
    with new_message(grid, row.grib.parameter, 0, surface_keys(*row.grib.first_surface)) as handle:
        set_keys(handle, {"dataDate": int(f"{init:%Y%m%d}"), "dataTime": int(f"{init:%H%M}")})
        set_keys(handle, {"forecastTime": lead, "resolutionAndComponentFlags": 8 * along_axes})
        pack(handle, values, 1)
        return bytes(eccodes.codes_get_message(handle))


def state(model: str, hour: int) -> dict[str, np.ndarray]:
    """No echo but for one storm, and other values that tell the hour."""
    shape = grid_of(model).shape
    echo = np.full(shape, FLOORS[model])
    echo[0, 0] = 45.0
    return (
        {"REFC": echo}
        | {name: np.full(shape, 280.0 + hour) for name in ("T2M",)}
        | {
            "U10": np.full(shape, 3.0),
            "V10": np.full(shape, 4.0),
        }
    )


def write(root: Path, model: str, along_axes: bool = True) -> None:
    """Eight hours of a model, each from its newest run."""
    for hour in HOURS:
        init, lead = base_model(model).state_run(DAY + timedelta(hours=hour), 0)
        path = root / PATHS[model].format(init.hour, lead)
        path.parent.mkdir(parents=True, exist_ok=True)
        grid = grid_of(model)
        fields = [(grid, *one, init, lead, along_axes) for one in state(model, hour).items()]
        path.write_bytes(b"".join(message(*one) for one in fields))
        write_inventory(path)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All models beside each other, as HRRR and HRRR-AK are in a folder of a day."""
    root = tmp_path_factory.mktemp("bucket")
    for model in PATHS:
        write(root, model)
    return root


def test_there_are_these() -> None:
    assert [model.name for model in base_models()] == sorted(PATHS)


@pytest.mark.parametrize("model", PATHS)
def test_a_day_goes_from_the_bucket_to_fields(model: str, bucket: Path, tmp_path: Path) -> None:
    run = run_of(model, {"mirror": str(bucket)})
    manifest = tmp_path / model / "20260901" / "manifest.csv"
    fetch_day(run, model, "20260901", manifest)
    table = read_manifest(manifest)
    assert set(table["status"]) == {"ok"}
    wanted = [0, 1, 2, 3, 6, 7]
    runs = [base_model(model).state_run(DAY + timedelta(hours=hour), 0) for hour in wanted]
    paths = {str(bucket / PATHS[model].format(init.hour, lead)) for init, lead in runs}
    assert set(table["origin"]) == paths
    to = Destination(tmp_path / "day.nc", tmp_path / "quality.csv", Fields(), {})
    normalise_day(manifest, run.variables, to)
    with xr.open_dataset(to.output) as day:
        assert Grid.of(day).matches(grid_of(model))
        assert day["time"].dt.hour.values.tolist() == wanted
        assert day["T2M"][:, 0, 0].values == pytest.approx([280.0 + hour for hour in wanted])
        np.testing.assert_array_equal(day["REFC"][0], state(model, 0)["REFC"])


@pytest.mark.parametrize("model", PATHS)
def test_paths_are_those_that_herbie_asks_for(model: str) -> None:
    base = base_model(model)
    assert str(base.path(DAY, 7)) == PATHS[model].format(0, 7)
    for held, product in base.products.items():
        request = FileRequest(model, product, base.options, DAY, 7, "", ("T2M",))
        addresses = candidates(request, Cloud(("aws",)))
        assert addresses["aws"].endswith(f"/{base.path(DAY, 7, held)}")


def test_what_a_run_is_of_unless_it_says_so_is_told_in_one_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Archive().model == usual_base_model() == "hrrr"
    monkeypatch.setattr(stormdraw.archive.base_models, "USUAL", "rrfs")
    assert usual_base_model() == "rrfs"


def test_a_missing_mirror_is_told_with_the_names_of_the_model(tmp_path: Path) -> None:
    run = run_of("rrfs", {"mirror": str(tmp_path / "none")})
    with pytest.raises(StormdrawError, match=r"e\.g\. with rrfs\.20260901/00/ in it"):
        place_of(run)


@pytest.mark.parametrize("model", PATHS)
def test_the_grid_of_a_mirror_is_that_of_its_model(model: str, bucket: Path) -> None:
    assert archive_grid(run_of(model, {"mirror": str(bucket)})).matches(grid_of(model))
    cloud = run_of(model, ["aws"])
    assert archive_grid(cloud) == base_model(model).grid
    assert archive_shape(cloud) == {"hrrrak": (919, 1299)}.get(model, (1059, 1799))


def test_alaskas_grid_is_that_of_its_headers() -> None:
    """The keys of a file's header, read by ecCodes and placed by PROJ."""
    grid = base_model("hrrrak").grid
    handle = eccodes.codes_new_from_samples("GRIB2", eccodes.CODES_PRODUCT_GRIB)
    keys = {
        "gridDefinitionTemplateNumber": 20,
        "shapeOfTheEarth": 6,
        "Nx": 1299,
        "Ny": 919,
        "latitudeOfFirstGridPoint": 41_612_949,
        "longitudeOfFirstGridPoint": 185_117_126,
        "LaD": 60_000_000,
        "orientationOfTheGrid": 225_000_000,
        "Dx": 3_000_000,
        "Dy": 3_000_000,
        "scanningMode": 64,
    }
    set_keys(handle, keys)
    assert read_grid(handle) == grid
    eccodes.codes_release(handle)
    longitude, latitude = Grid(grid.crs, grid.x[-1:], grid.y[-1:]).longitude_latitude()
    pole = pyproj.Proj("+proj=stere +lat_0=90 +lat_ts=60 +lon_0=-135 +R=6371229")
    x, y = pole(185.117126 - 360, 41.612949)
    assert pole(longitude, latitude) == pytest.approx((x + 3000 * 1298, y + 3000 * 918), abs=1e-3)


def test_rrfs_grid_is_that_of_the_bucket() -> None:
    """The outer edges that GDAL gives for its files, half a spacing beyond the points."""
    grid = base_model("rrfs").grid
    assert grid.x[0] - 1500 == pytest.approx(-2699020.142521929, abs=0.2)
    assert grid.y[-1] + 1500 == pytest.approx(1588193.847443335, abs=0.2)


def test_winds_are_turned_to_alaskas_axes(tmp_path: Path) -> None:
    """Eastward and northward winds, against a step along them on PROJ's map."""
    write(tmp_path, "hrrrak", along_axes=False)
    run = run_of("hrrrak", {"mirror": str(tmp_path)})
    manifest = tmp_path / "hrrrak" / "20260901" / "manifest.csv"
    fetch_day(run, "hrrrak", "20260901", manifest)
    to = Destination(tmp_path / "day.nc", tmp_path / "quality.csv", Fields(), {})
    normalise_day(manifest, run.variables, to)
    longitude, latitude = grid_of("hrrrak").longitude_latitude()
    pole = pyproj.Proj("+proj=stere +lat_0=90 +lat_ts=60 +lon_0=-135 +R=6371229")
    step = 1e-5
    x0, y0 = pole(longitude, latitude)
    x1, y1 = pole(longitude + 3 * step / np.cos(np.deg2rad(latitude)), latitude + 4 * step)
    length = np.hypot(x1 - x0, y1 - y0)
    with xr.open_dataset(to.output) as day:
        assert np.allclose(day["U10"][-1], 5 * (x1 - x0) / length, atol=1e-3)
        assert np.allclose(day["V10"][-1], 5 * (y1 - y0) / length, atol=1e-3)
        assert not np.allclose(day["U10"][-1], 3, atol=0.5)


@pytest.mark.parametrize(
    ("model", "member", "expected"), [("rrfs", "hrrr", -20.0), ("hrrr", "rrfs", -10.0)]
)
def test_no_echo_is_the_floor_of_the_base_model(
    model: str, member: str, expected: float, tmp_path: Path
) -> None:
    """REFS has both models: neither may have an echo where there is none."""
    run = run_of(model, {"mirror": "elsewhere"})
    assert (variable("REFC").floor, variable("REFC").lower) == (expected, expected)
    echo = state(member, 0)["REFC"]
    echo[1, 1] = -9.0
    files = tmp_path / "m"
    files.mkdir()
    content = message(grid_of(member), "REFC", echo, DAY, 1)
    one = Member(f"{member}_00h", member, base_model(member).product("sfc"), 0, 18)
    manifest = written_manifest(files, content, one.name)
    to = Destination(tmp_path / "day.nc", tmp_path / "quality.csv", Fields(), {})
    target = Target(grid_of(model))
    regrid_members(manifest, Cycle(DAY, [1], ["REFC"]), [one], "REFS", target, to)
    with xr.open_dataset(to.output) as file:
        values = file["REFC"].values.squeeze()
    assert (values[0, 0], values[1, 1]) == (45.0, -9.0)
    assert set(np.unique(values)) == {45.0, -9.0, expected}
    assert run.archive.model == model


def written_manifest(folder: Path, content: bytes, member: str) -> Path:
    """A manifest of one message of a member."""
    (folder / "file.grib2").write_bytes(content)
    values = dict.fromkeys(ManifestRow.__dataclass_fields__, "") | {
        "file": "file.grib2",
        "variable": "REFC",
        "member": member,
        "init": DAY,
        "lead": 1,
        "offset": 0,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "status": OK,
        "seconds_after": 0,
    }
    write_manifest(folder / "manifest.csv", [ManifestRow(**values)])
    return folder / "manifest.csv"


def test_a_configuration_may_have_a_floor_of_its_own() -> None:
    own = {"REFC": {"lower": -30, "floor": -30}}
    run_of("rrfs", {"mirror": "elsewhere"}, variable_table=own)
    assert variable("REFC").floor == -30
    run_of("hrrr", {"mirror": "elsewhere"})
    assert variable("REFC").floor == -10
