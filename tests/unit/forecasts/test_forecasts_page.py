"""Places, meteograms, maps and the page of a forecast."""

import re
import resource
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from small_experiment import CONFIG

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate
from stormdraw.forecasts.maps import leads_to_show
from stormdraw.forecasts.meteograms import draw_meteograms, members_at
from stormdraw.forecasts.page import write_page
from stormdraw.forecasts.places import nearest_points
from stormdraw.forecasts.settings import Place
from stormdraw.forecasts.zarr_products import write_zarr
from stormdraw.report.product import kinds
from stormdraw.report.product_files import write_products
from stormdraw.scores.threshold import Threshold
from stormdraw.settings import load_settings

GRID = HRRR.crop(slice(480, 492), slice(880, 895))
INIT = datetime(2026, 6, 2, 6)
LEADS, MEMBERS = [1, 2, 3], 6
NAMES = ("REFC", "T2M")


def values_of(name: str) -> np.ndarray:
    """Members (member, lead, y, x) with storms of 40 dBZ in some of them."""
    generator = np.random.default_rng(5)
    shape = (MEMBERS, len(LEADS), *GRID.shape)
    if name == "T2M":
        return (290.0 + generator.normal(size=shape)).astype(np.float32)
    return np.where(generator.random(shape) < 0.2, 40.0, -10.0).astype(np.float32)


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("forecast") / "ensemble.nc"
    dims = ("member", "lead", "y", "x")
    fields = {name: (dims, values_of(name), {"grid_mapping": "crs"}) for name in NAMES}
    coordinates = {
        **GRID.coordinates(),
        "lead": lead_coordinate(LEADS),
        "init": init_coordinate(INIT),
    }
    attributes = {"system": "ours"}
    xr.Dataset(fields, coordinates, attributes).to_netcdf(path)
    return path


@pytest.fixture(scope="module")
def products(ensemble: Path) -> Path:
    path = ensemble.parent / "ours.nc"
    gribs = {kind: ensemble.parent / f"ours.{kind}.grib2" for kind in kinds()}
    thresholds = {"REFC": [Threshold(20.0), Threshold(30.0)]}
    write_products(ensemble, thresholds, 4, path, gribs)
    return path


def test_the_nearest_point_is_that_of_the_shortest_way() -> None:
    longitude, latitude = GRID.longitude_latitude()
    place = Place(latitude=float(latitude[4, 7]) + 0.004, longitude=float(longitude[4, 7]) - 0.006)
    across = np.cos(np.radians(place.latitude)) * (longitude - place.longitude)
    nearest = np.hypot(across, latitude - place.latitude).argmin()
    assert nearest_points(GRID, {"here": place})["here"] == np.unravel_index(nearest, GRID.shape)
    east = place.model_copy(update={"longitude": place.longitude + 360.0})
    assert nearest_points(GRID, {"here": east})["here"] == (4, 7)


@pytest.mark.parametrize("rows", [-1, 12])
def test_a_place_outside_the_cells_is_refused(rows: int) -> None:
    """Half a cell beyond the outermost points is inside, a whole one is not."""
    dy = GRID.spacing[0]
    y = GRID.y[0] + rows * dy
    for part, inside in ((0.55, True), (0.0, False)):
        own = y + (part * dy if rows < 0 else -part * dy)
        longitude, latitude = GRID.to_longitude_latitude(np.array([GRID.x[3]]), np.array([own]))
        place = {"yonder": Place(latitude=float(latitude[0]), longitude=float(longitude[0]))}
        if inside:
            assert nearest_points(GRID, place)["yonder"] == (0 if rows < 0 else 11, 3)
            continue
        with pytest.raises(StormdrawError, match=r"forecast\.places\.yonder: .* is outside the gr"):
            nearest_points(GRID, place)


def test_members_at_a_point_are_those_of_the_file(ensemble: Path) -> None:
    points = [(4, 7), (0, 14)]
    with xr.open_dataset(ensemble, decode_timedelta=False) as dataset:
        found = {name: members_at(dataset, name, points) for name in NAMES}
    for name in NAMES:
        for place, (row, column) in enumerate(points):
            theirs = values_of(name)[:, :, row, column].T
            np.testing.assert_allclose(found[name][place], theirs, rtol=1e-6)


def test_leads_are_the_asked_ones_or_a_few(products: Path) -> None:
    assert leads_to_show(products, [2, 3, 9]) == [2, 3]
    assert leads_to_show(products, []) == LEADS
    assert leads_to_show(products, [], most=2) == [1, 3]


def test_percentiles_and_neighbourhoods_are_those_by_hand(products: Path) -> None:
    with xr.open_dataset(products, decode_timedelta=False) as dataset:
        for percent in (10, 50, 90):
            ordered = np.sort(values_of("T2M"), axis=0).astype(float)
            place = percent / 100 * (MEMBERS - 1)
            below = int(place)
            expected = ordered[below] + (place - below) * (
                ordered[min(below + 1, MEMBERS - 1)] - ordered[below]
            )
            np.testing.assert_allclose(dataset[f"T2M_p{percent}"], expected, rtol=1e-6)
        # A box of 5 x 5 points, cut off at the edge.
        near = np.zeros((len(LEADS), *GRID.shape))
        for member in values_of("REFC"):
            for lead, field in enumerate(member):
                for y in range(GRID.shape[0]):
                    for x in range(GRID.shape[1]):
                        box = field[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
                        near[lead, y, x] += (box >= 30.0).any()
        found = dataset["REFC_neighbourhood_probability_30"]
        np.testing.assert_allclose(found, 100.0 * near / MEMBERS, rtol=1e-6)


def test_products_in_zarr_are_those_of_the_netcdf_file(products: Path, tmp_path: Path) -> None:
    write_zarr(products, tmp_path / "ours.zarr")
    with xr.open_zarr(tmp_path / "ours.zarr") as own, xr.open_dataset(products) as theirs:
        assert own["T2M_mean"].chunks[0] == (1, 1, 1)
        xr.testing.assert_identical(own.load(), theirs.load())


def test_a_full_disk_leaves_no_zarr_store(products: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StormdrawError, match=r"no space left for .*ours\.zarr .*free some"):
            write_zarr(products, tmp_path / "ours.zarr")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_product_under_its_name(ensemble: Path, tmp_path: Path) -> None:
    """No file may grow beyond 1,000 bytes; nothing half-written stays, under any name."""
    gribs = {kind: tmp_path / f"ours.{kind}.grib2" for kind in kinds()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StormdrawError, match=r"no space left for .*ours\..*free some"):
            write_products(ensemble, {"REFC": [Threshold(30.0)]}, 4, tmp_path / "ours.nc", gribs)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def run(**forecast: Any) -> Any:
    (drawn,) = [one for one in CONFIG["ensembles"]["systems"] if one["name"] == "small"]
    return load_settings(
        {
            "title": "Tonight",
            "cycle": 2026060206,
            "variables": list(NAMES),
            "leads": LEADS,
            "archive": {"simulated": {"since": "2026-06-01T00:00"}},
            "models": [{"name": "small", "checkpoint": "anywhere.pt"}],
            "ensembles": {"systems": [{**drawn, "name": "ours", "calibrate": False}]},
            "scores": {"thresholds": {"REFC": [20.0, 30.0]}},
            "forecast": forecast,
        }
    )


@pytest.fixture(scope="module")
def page(ensemble: Path, products: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    longitude, latitude = GRID.longitude_latitude()
    place = {"latitude": float(latitude[4, 7]), "longitude": float(longitude[4, 7])}
    output = tmp_path_factory.mktemp("page") / "index.html"
    settings = run(places={"A <town>": place})
    write_page(settings, {"ours": ensemble}, {"ours": products}, output)
    return output.read_text()


def test_the_page_has_maps_of_each_variable_and_a_meteogram_of_each_place(page: str) -> None:
    assert "From 2026-06-02 06 UTC to 2026-06-02 09 UTC" in page
    assert "ours has 6 members" in page
    alternatives = re.findall(r'alt="([^"]*)"', page)
    assert [text.split(" at ")[0].split(":")[0] for text in alternatives] == [
        "Meteogram of A &lt;town&gt;",
        *["Composite radar reflectivity (dBZ)"] * len(LEADS),
        "Maps of Composite radar reflectivity (dBZ)",
        "Maps of Composite radar reflectivity ≥ 30 dBZ by member",
        "Maps of 2 m air temperature (K)",
    ]
    *by_hour, maps, _, of_temperature = alternatives[1:]
    assert [re.findall(r"at (\d) h: .* nearby", text) for text in by_hour] == [["1"], ["2"], ["3"]]
    assert "≥ 30 dBZ nearby (%)" in maps
    assert "nearby" not in of_temperature


def test_the_page_loads_nothing(page: str) -> None:
    assert not re.findall(r'(?:src|href)="(?!data:|#|[\w.]+"|\.\./ensembles/)[^"]*"', page)
    assert "<script" not in page
    assert "<town>" not in page


def test_a_page_of_some_hours_says_where_all_will_be(
    ensemble: Path, products: Path, tmp_path: Path
) -> None:
    settings = run().model_copy(update={"leads": [*LEADS, 6]})
    write_page(settings, {"ours": ensemble}, {"ours": products}, tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    assert "This page has only +1 h to +3 h" in page
    assert '<a href="../index.html">' in page
    assert "to 2026-06-02 12 UTC" in page
    assert "all members" not in page


def test_the_page_of_all_hours_links_the_members(page: str) -> None:
    assert 'href="../ensembles/ours/2026060206.nc"' in page
    assert "This page has only" not in page


def test_without_places_nothing_is_read(tmp_path: Path) -> None:
    draw_meteograms(tmp_path / "none.nc", {}, {})
    assert list(tmp_path.iterdir()) == []
