"""The mosaic of the world's radars, from their hills to the target grid."""

import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

from archive_mirror import settings

from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.truth import truth
from stormdraw.archive.truth_names import truth_sentences
from stormdraw.fields.decoding import Messages
from stormdraw.fields.mosaic import cells
from stormdraw.simulated.domain import domain_of
from stormdraw.simulated.mirror import write_archive
from stormdraw.simulated.mosaic_messages import NO_COVERAGE, NO_ECHO
from stormdraw.simulated.radar import MosaicFiles, Radars, hundredth_degree_grid

SEVEN = datetime(2026, 6, 1, 7)
WINDOW = {"rows": [480, 530], "columns": [880, 940]}
DOMAIN = domain_of((480, 530), (880, 940))
PLAIN = Radars(DOMAIN, np.zeros(DOMAIN.shape, np.float32))
LARGE = domain_of((480, 640), (880, 1040))
WIDE = Radars(LARGE, np.zeros(LARGE.shape, np.float32))


def small(truth=None, **changes):
    archive = {"simulated": {**WINDOW, "spin_up_hours": 6}}
    if truth is not None:
        archive["truth"] = truth
    return settings(archive=archive, fields={"static": []}, **changes)


def test_over_a_plain_a_radar_sees_as_far_as_it_reaches():
    np.testing.assert_array_equal(WIDE.covered, WIDE.distance <= 150e3)
    rows, columns = np.indices(WIDE.domain.shape)
    (place, other) = WIDE.places
    distance = np.minimum(
        *(3000.0 * np.hypot(rows - row, columns - column) for row, column in (place, other))
    )
    np.testing.assert_allclose(WIDE.distance, distance, rtol=1e-3)
    assert 0.3 < WIDE.covered.mean() < 0.9


def test_a_radar_stands_on_the_highest_hill_nearby():
    hill = np.zeros(DOMAIN.shape, np.float32)
    row, column = PLAIN.places[0]
    hill[row + 4, column + 3] = 50.0
    assert Radars(DOMAIN, hill).places[0] == (row + 4, column + 3)


def test_no_radar_sees_behind_a_mountain():
    """A wall of 900 m, 60 km east of the only radar in reach: the beam is 232 m up there."""
    row, column = PLAIN.places[0]
    ridge = np.zeros(DOMAIN.shape, np.float32)
    ridge[:, column + 20] = 900.0
    radars = Radars(DOMAIN, ridge)
    seen = radars._seen_from((row, column))
    assert seen[row, : column + 19].all()
    assert not seen[row, column + 21 :].any()
    # A beam passes above what is lower than it.
    low = Radars(DOMAIN, np.where(ridge > 0, 200.0, 0.0))
    np.testing.assert_array_equal(low._seen_from((row, column)), PLAIN._seen_from((row, column)))


def test_an_echo_loses_a_hundredth_of_a_decibel_per_kilometre():
    flat = np.full(DOMAIN.shape, 40.0)
    seen = MosaicFiles(PLAIN, 0).seen(flat, np.zeros(DOMAIN.shape))[PLAIN.covered]
    expected = np.rint((40.0 - PLAIN.distance[PLAIN.covered] / 1e5) * 2) / 2
    np.testing.assert_allclose(seen, expected)
    assert {40.0, 39.5, 39.0, 38.5} == set(np.unique(expected))


def test_weak_echoes_are_none_and_uncovered_points_have_a_code_of_their_own():
    files = MosaicFiles(WIDE, 0)
    weak = files.seen(np.full(WIDE.domain.shape, -3.0), np.zeros(WIDE.domain.shape))
    np.testing.assert_array_equal(weak, np.where(WIDE.covered, NO_ECHO, NO_COVERAGE))


def test_noise_has_a_standard_deviation_of_one_decibel():
    noise = np.random.default_rng(1).standard_normal(DOMAIN.shape)
    seen = MosaicFiles(PLAIN, 0).seen(np.full(DOMAIN.shape, 40.0), noise)
    error = (seen - (40.0 - PLAIN.distance / 1e5))[PLAIN.covered]
    # And that of rounding to half decibels.
    expected = np.sqrt(1.0 + 0.5**2 / 12)
    assert error.std() == pytest.approx(expected, rel=4 / np.sqrt(2 * error.size))


def test_its_grid_is_that_of_mrms_around_the_window():
    """MRMS's points are at 54.995 N and 230.005 E, and every hundredth of a degree from there."""
    grid = hundredth_degree_grid(DOMAIN.window)
    for axis, first in ((grid.x, 230.005 - 360), (grid.y, 54.995)):
        steps = (np.array(axis) - first) * 100
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)
    longitude, latitude = DOMAIN.window.longitude_latitude()
    assert grid.x[0] < longitude.min() < longitude.max() < grid.x[-1]
    assert grid.y[0] < latitude.min() < latitude.max() < grid.y[-1]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The archive of a run that is compared with radars, at one hour."""
    folder = tmp_path_factory.mktemp("world")
    write_archive(small({"REFC": "mrms"}), folder / "archive", folder / "world.nc")
    return folder / "archive"


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_is_written_for_the_hours_that_are_compared_and_changes_nothing_else(world, tmp_path):
    write_archive(small(), tmp_path / "archive", tmp_path / "world.nc")
    others, both = files_of(tmp_path / "archive"), files_of(world)
    new = both.keys() - others.keys()
    assert [name[:41] for name in new] == ["CONUS/MergedReflectivityQCComposite_00.50"]
    assert {name: both[name] for name in others} == others


def test_the_truth_of_a_run_is_what_its_radars_saw(world, tmp_path):
    run = small({"REFC": "mrms"})
    manifest = tmp_path / "manifest.csv"
    fetch_day(run, "truth", "20260601", manifest, mirror=world)
    (row,) = read_manifest(manifest).to_dict("records")
    assert 0 < abs(row["seconds_after"]) <= 60
    messages = Messages(manifest)
    (field,) = messages.reading(messages.by_valid_time()[0], ["REFC"])()
    placed = cells(field.grid, DOMAIN.window).place(field, truth("mrms").codes, "average")
    analysis = tmp_path / "hrrr" / "manifest.csv"
    fetch_day(run, "hrrr", "20260601", analysis, mirror=world)
    listed = Messages(analysis)
    at = next(one for one in listed.by_valid_time() if one.valid == SEVEN)
    (state,) = listed.reading(at, ["REFC"])()
    # A cell has the points that took its value, so that averaging gives it back: half decibels.
    seen = placed > -10.0
    np.testing.assert_allclose(placed[seen] * 2, np.rint(placed[seen] * 2), atol=1e-3)
    strong = seen & (state.values > 5.0)
    assert strong.sum() > 10
    error = (placed - state.values)[strong]
    # The attenuation over 150 km, and five standard deviations of noise.
    assert -1.5 - 5.0 < error.min() < error.max() < 5.0
    assert len(np.unique(error)) > 5
    (sentence, *_) = truth_sentences(run)
    assert sentence.startswith("The truth of REFC is the simulated radar mosaic: observations")
