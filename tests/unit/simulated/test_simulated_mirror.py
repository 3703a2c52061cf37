"""The archive as a folder: the right files, the right content, the same every time."""

import hashlib
from datetime import datetime

import numpy as np
import pytest
import xarray as xr
from scipy.interpolate import RegularGridInterpolator
from simulated_world import small_settings

from stormdraw.archive.sources import Folder, candidates
from stormdraw.archive.wanted import dates, requests, sources_of
from stormdraw.membership import members_at
from stormdraw.messages import opened, read_grid, read_header, read_messages
from stormdraw.simulated import SIMULATED_VARIABLES
from stormdraw.simulated.base import BASE
from stormdraw.simulated.layout import member_path, product_path
from stormdraw.simulated.mirror import write_archive
from stormdraw.simulated.perfect import draw_members
from stormdraw.times import hours
from stormdraw.variables import VARIABLES

import eccodes  # isort: skip  (after stormdraw)

SETTINGS = small_settings()
CASE = datetime(2026, 6, 1, 6)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """(folder, world file, what was said)"""
    folder = tmp_path_factory.mktemp("archive")
    world = folder.with_name("world.nc")
    said: list[str] = []
    write_archive(SETTINGS, folder, world, said.append)
    return folder, world, said


def fields_of(path):
    """{(variable, statistic): (values, grid)} of the instantaneous messages of a file."""
    found = {}
    for message in read_messages(path):
        with opened(message) as handle:
            header = read_header(handle)
            if header.variable is not None and header.variable.grib.instantaneous:
                grid = read_grid(handle)
                values = eccodes.codes_get_values(handle).reshape(grid.shape)
                found[header.variable.name, header.statistic] = (values, grid)
    return found


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_same_bytes(archive, tmp_path):
    folder, _, _ = archive
    write_archive(SETTINGS, tmp_path / "again", tmp_path / "world.nc")
    assert digests(tmp_path / "again") == digests(folder)


def test_another_seed_is_another_world(archive, tmp_path):
    folder, _, _ = archive
    settings = small_settings(
        seed=4,
        archive={**SETTINGS.archive.model_dump(), "reference": None},
        ensembles={"systems": [{"name": "p", "method": "perfect"}]},
    )
    write_archive(settings, tmp_path / "other", tmp_path / "world.nc")
    path = BASE.path(CASE, 0)
    assert (folder / path).read_bytes() != (tmp_path / "other" / path).read_bytes()


def headers_of(path):
    found = []
    for message in read_messages(path):
        with opened(message) as handle:
            found.append(read_header(handle))
    return found


def test_every_file_a_run_fetches_is_there_with_every_message(archive):
    """Each wanted field stands exactly once in its file."""
    folder, _, _ = archive
    checked = 0
    for source in sources_of(SETTINGS):
        for date in dates(SETTINGS, source):
            for request in requests(SETTINGS, source, date):
                paths = candidates(request, Folder(folder))
                headers = headers_of(folder / next(iter(paths.values())))
                assert {(header.init, header.lead) for header in headers} == {
                    (request.init, request.lead)
                }
                fields = [
                    (header.variable.name, header.statistic)
                    for header in headers
                    if header.variable
                ]
                for name in request.variables:
                    assert fields.count((name, request.statistic)) == 1
                    checked += 1
    # 3 + 3 analyses of 7, a static field, 2 x 10 members of 7, 2 x 2 products of 5.
    assert checked == 6 * 7 + 1 + 20 * 7 + 4 * 5


def test_analyses_of_every_hour(archive):
    folder, _, _ = archive
    found = {path.name for path in folder.rglob("*wrfsfcf00.grib2")}
    assert found == {f"hrrr.t{hour:02d}z.wrfsfcf00.grib2" for hour in range(9)}


def test_nothing_but_grib(archive):
    folder, _, _ = archive
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".grib2"}


def test_positions_of_messages_differ_between_leads(archive):
    folder, _, _ = archive

    def place_of_cape(lead):
        headers = headers_of(folder / BASE.path(CASE, lead))
        return [header.variable and header.variable.name for header in headers].index("CAPE")

    assert place_of_cape(0) != place_of_cape(1)


def test_values_are_within_bounds(archive):
    folder, _, _ = archive
    for path in [*folder.rglob("hrrr*.grib2"), *folder.rglob("nam*.grib2")]:
        fields = fields_of(path)
        assert {name for name, _ in fields} >= set(SIMULATED_VARIABLES) | {"OROG"}
        for (name, _), (values, _) in fields.items():
            assert values.min() >= VARIABLES[name].lower
            assert values.max() <= VARIABLES[name].upper
        assert (fields["D2M", None][0] <= fields["T2M", None][0] + 1e-9).all()


def test_terrain_is_the_same_in_every_file_of_a_model(archive):
    folder, _, _ = archive
    first, last = (fields_of(folder / BASE.path(CASE + hours(n), 0)) for n in (-6, 2))
    np.testing.assert_array_equal(first["OROG", None][0], last["OROG", None][0])
    assert np.ptp(first["OROG", None][0]) > 10.0


def test_href_mean_and_spread_are_those_of_the_member_files(archive):
    """Members brought to the products' grid by scipy; speed is the same along any axes."""
    folder, _, _ = archive
    mean = fields_of(folder / product_path("href", "mean", CASE, 2))
    spread = fields_of(folder / product_path("href", "sprd", CASE, 2))
    assert {key[0] for key in mean} == {"T2M", "D2M", "CAPE", "CIN", "WIND10"}
    assert {key[1] for key in mean} == {"mean"}
    assert {key[1] for key in spread} == {"spread"}
    target = mean["T2M", "mean"][1]
    brought = {"T2M": [], "WIND10": []}
    for member in members_at("href", CASE):
        init = CASE - hours(member.age)
        fields = fields_of(folder / member_path(member, init, member.own_lead(2)))
        grid = fields["T2M", None][1]
        x, y = grid.from_longitude_latitude(*target.longitude_latitude())
        points = np.stack([y, x], axis=-1)
        on_target = {
            name: RegularGridInterpolator(
                (grid.y, grid.x), fields[name, None][0], bounds_error=False
            )(points)
            for name in ("T2M", "U10", "V10")
        }
        brought["T2M"].append(on_target["T2M"])
        brought["WIND10"].append(np.hypot(on_target["U10"], on_target["V10"]))
    for name, members in brought.items():
        stack = np.stack(members)
        # Beyond the edge of a smaller grid there is nothing to compare with.
        known = np.isfinite(stack).all(axis=0)
        assert known.mean() > 0.3
        for (values, _), expected in (
            (mean[name, "mean"], stack.mean(axis=0)),
            (spread[name, "spread"], stack.std(axis=0)),
        ):
            np.testing.assert_allclose(values[known], expected[known], atol=0.0051)


def test_the_world_file_says_where_it_comes_from(archive):
    _, world, _ = archive
    with xr.open_dataset(world) as saved:
        assert saved.attrs["Conventions"] == "CF-1.11"
        assert saved.attrs["title"]
        assert list(saved["time"].values) == [np.datetime64("2026-06-01T06")]


def test_progress_is_told(archive):
    _, _, said = archive
    assert said[-1] == "forecast 10 of 10: nam_nest of 2026-06-01 06 UTC"
    assert "the world until 2026-06-01, of 2026-06-01" in said


def test_the_truth_is_exchangeable_with_perfect_members(archive):
    """Same grid, same rounding: the analysis file and a member differ by noise only."""
    folder, world, _ = archive
    drawn = draw_members(world, CASE, [1], 3, SETTINGS.seed, "perfect")
    fields = fields_of(folder / BASE.path(CASE + hours(1), 0))
    for name in SIMULATED_VARIABLES:
        values, grid = fields[name, None]
        truth = values.astype(np.float32)
        assert drawn[name].shape[2:] == truth.shape
        steps = {*np.unique(truth)} | {*np.unique(drawn[name].values)}
        on_steps = np.rint(np.array(sorted(steps), dtype=np.float64) / VARIABLES[name].precision)
        expected = (on_steps * VARIABLES[name].precision).astype(np.float32)
        np.testing.assert_array_equal(expected, np.array(sorted(steps), dtype=np.float32))
    np.testing.assert_array_equal(drawn["x"].values, np.array(grid.x))
    np.testing.assert_array_equal(drawn["y"].values, np.array(grid.y))
    difference = drawn["T2M"].values[:, 0] - fields["T2M", None][0]
    assert 0.1 < np.sqrt(np.mean(difference**2)) < 2.0
