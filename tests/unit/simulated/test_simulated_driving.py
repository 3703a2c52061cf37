"""The larger-scale model knows the truth's large scale, with an error that grows."""

from dataclasses import replace
from datetime import datetime, timedelta

import eccodes
import numpy as np
import pytest
from simulated_world import DOMAIN, SEED, WORLD, hours_of, small_settings

from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.wanted import dates, requests
from stormdraw.fields.decoding import Messages
from stormdraw.fields.target import Checks, Target
from stormdraw.messages import opened, read_header, read_messages
from stormdraw.seeds import generator_for
from stormdraw.simulated import SIMULATED_DRIVING
from stormdraw.simulated.domain import domain_of, terrain
from stormdraw.simulated.driving import DrivingFiles
from stormdraw.simulated.layout import gfs_path
from stormdraw.simulated.mirror import write_archive
from stormdraw.simulated.noise import Noise
from stormdraw.simulated.plan import plan_archive
from stormdraw.simulated.sun import daylight
from stormdraw.simulated.surface import Surface
from stormdraw.simulated.upper_air import upper_air
from stormdraw.simulated.world import World
from stormdraw.times import hours
from stormdraw.variables import VARIABLES

STATES = hours_of(WORLD, 30)[6:]
SIMULATED = {"source": "simulated", "driving": {"model": "gfs"}}
SIMULATED["simulated"] = {"rows": [500, 518], "columns": [900, 921], "spin_up_hours": 2}
PERFECT = {"systems": [{"name": "perfect", "method": "perfect"}]}


def settings(**driving):
    archive = SIMULATED | {"driving": {"model": "gfs"} | driving}
    return small_settings(archive=archive, ensembles=PERFECT)


def forecast(state, lead):
    return DrivingFiles(WORLD, SEED).fields(state, state.time - hours(lead), lead)


def truth_of(state):
    return WORLD.surface.observe(state) | upper_air(WORLD.surface, state)


def large_scale(values):
    """Waves of more than 100 km."""
    long = DOMAIN.wavenumber < 2 * np.pi / 100e3
    return DOMAIN.on_points(long * DOMAIN.on_waves(values))


def errors(lead):
    """Root mean square error of each variable over the hours, each from a cycle of its own."""
    squares = {name: [] for name in SIMULATED_DRIVING}
    for state in STATES:
        seen, truth = forecast(state, lead), truth_of(state)
        for name in SIMULATED_DRIVING:
            squares[name].append(np.mean((seen[name] - truth[name]) ** 2))
    return {name: np.sqrt(np.mean(found)) for name, found in squares.items()}


def test_the_error_grows_with_the_lead():
    by_lead = [errors(lead) for lead in (0, 12, 48)]
    for name in SIMULATED_DRIVING:
        early, later, late = (found[name] for found in by_lead)
        assert 0 < early < later < late, name


def test_at_lead_zero_it_is_not_the_truth():
    for state in STATES[:3]:
        seen, truth = forecast(state, 0), truth_of(state)
        for name in SIMULATED_DRIVING:
            assert np.abs(seen[name] - truth[name]).min() < np.abs(seen[name] - truth[name]).max()
            assert not np.isclose(seen[name], truth[name], atol=1e-6, rtol=0).all(), name


def test_it_knows_the_large_scale_of_the_truth():
    """Over hours and points together, at the age of six hours."""
    seen = [forecast(state, 6) for state in STATES]
    truth = [truth_of(state) for state in STATES]
    for name in SIMULATED_DRIVING:
        both = [
            np.stack([large_scale(one[name]) for one in found]).ravel() for found in (seen, truth)
        ]
        assert np.corrcoef(both)[0, 1] > 0.6, name


def test_it_knows_nothing_of_clouds_and_storms_to_come():
    """The truth's ground heat holds their shade; its cells and cold pools are the storms."""
    truth = STATES[20]
    spoilt = replace(truth, heat=0.5 * truth.heat, pool=2.0 * truth.pool, cells=STATES[21].cells)
    expected = forecast(truth, 6)
    for name, values in forecast(spoilt, 6).items():
        np.testing.assert_array_equal(values, expected[name], name)


def test_the_ground_is_nowhere_warmer_than_under_a_clear_sky():
    """Up to what is left after a day of how it began: e^-6 of at most one unit of heat."""
    for state in STATES:
        assert (state.heat <= WORLD.clear_sky_heat(state.time) + np.exp(-6.0)).all()


def test_the_heat_under_a_clear_sky_is_the_sunlight_of_a_day_that_fades_in_four_hours():
    """dh/dt = (sun - h) / 4 h from the mean heat, integrated in steps of a minute."""
    time, minutes = datetime(2026, 6, 2, 21), np.arange(24 * 60) + 0.5
    shares = np.exp(-minutes / 240.0) / 240.0
    sunlight = sum(
        share * daylight(DOMAIN, time - timedelta(minutes=float(minute)))
        for minute, share in zip(minutes, shares, strict=True)
    )
    expected = sunlight + 0.35 * np.exp(-6.0)
    np.testing.assert_allclose(WORLD.clear_sky_heat(time), expected, atol=1e-3)


def test_it_sees_no_waves_shorter_than_its_grid_resolves():
    """Of waves of 40 km nothing is left: e^-(2 pi 20 / 40)^2 is 5e-5 of an amplitude."""
    seen = forecast(STATES[0], 6)["PWAT"]
    power = np.abs(DOMAIN.on_waves(seen - seen.mean())) ** 2
    short = DOMAIN.wavenumber > 2 * np.pi / 40e3
    assert power[short].sum() < 1e-6 * power.sum()


def test_a_cycle_has_one_error_that_lasts():
    """Of one cycle the errors of two neighbouring leads are alike, of two cycles they are not."""
    files, (one, other) = DrivingFiles(WORLD, SEED), STATES[:2]
    cycle = one.time - hours(24)

    def error(state, cycle, lead):
        seen = files.fields(state, cycle, lead)["PWAT"]
        return large_scale(seen - truth_of(state)["PWAT"]).ravel()

    same = np.corrcoef(error(one, cycle, 24), error(other, cycle, 25))[0, 1]
    different = [
        np.corrcoef(error(one, cycle, 24), error(one, cycle - hours(k), 24 + k))[0, 1]
        for k in range(6, 60, 6)
    ]
    assert same > 0.8
    assert np.mean(different) < same - 0.2


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("driven")
    write_archive(settings(), folder, folder.with_name("driven_world.nc"))
    return folder


def test_files_are_on_a_quarter_degree_from_north_to_south(archive):
    path = archive / gfs_path(datetime(2026, 6, 1), 7)
    (message, *_) = read_messages(path)
    with opened(message) as handle:
        said = {
            key: eccodes.codes_get(handle, key)
            for key in ("gridType", "jScansPositively", "uvRelativeToGrid", "shapeOfTheEarth")
        }
        west, east, north, south = (
            eccodes.codes_get(handle, f"{what}GridPointInDegrees")
            for what in (
                "longitudeOfFirst",
                "longitudeOfLast",
                "latitudeOfFirst",
                "latitudeOfLast",
            )
        )
    assert said == {
        "gridType": "regular_ll",
        "jScansPositively": 0,
        "uvRelativeToGrid": 0,
        "shapeOfTheEarth": 6,
    }
    assert 180 < west < east < 360
    assert [degrees * 4 % 1 for degrees in (west, east, north, south)] == [0, 0, 0, 0]


def test_it_covers_the_window_and_a_margin():
    grid = DrivingFiles(WORLD, SEED).grid
    longitude, latitude = DOMAIN.window.longitude_latitude()
    west, east = (longitude % 360).min() - grid.x[0], grid.x[-1] - (longitude % 360).max()
    south, north = latitude.min() - grid.y[0], grid.y[-1] - latitude.max()
    for margin in (west, east, south, north):
        assert 0.25 <= margin <= 0.5


def test_the_archive_has_every_file_that_is_wanted_with_the_variables_of_the_table(archive):
    run = settings()
    wanted = [one for date in dates(run, "driving") for one in requests(run, "driving", date)]
    assert wanted
    files = {archive / gfs_path(one.init, one.lead) for one in wanted}
    assert files == set(archive.glob("gfs.*/*/atmos/*"))
    for path in files:
        names = []
        for message in read_messages(path):
            with opened(message) as handle:
                names.append(read_header(handle).variable.name)
        assert tuple(names) == SIMULATED_DRIVING
    assert set(SIMULATED_DRIVING) <= set(VARIABLES)


def test_the_same_seed_gives_the_same_bytes(archive, tmp_path):
    write_archive(settings(), tmp_path / "again", tmp_path / "world.nc")
    for path in archive.glob("gfs.*/*/atmos/*"):
        again = tmp_path / "again" / path.relative_to(archive)
        assert again.read_bytes() == path.read_bytes()


def test_what_drives_changes_nothing_of_the_world(archive, tmp_path):
    without = small_settings(archive=SIMULATED | {"driving": None}, ensembles=PERFECT)
    write_archive(without, tmp_path / "alone", tmp_path / "world.nc")
    for path in (tmp_path / "alone").rglob("*.grib2"):
        beside = archive / path.relative_to(tmp_path / "alone")
        assert beside.read_bytes() == path.read_bytes()


def test_through_fetching_and_decoding_winds_follow_the_target_again(archive, tmp_path):
    """The whole path: from the box's axes to the compass, to GRIB, and back to the window's axes.

    The fields are smooth, so that interpolating twice costs little; winds come in steps of 0.1.
    """
    run = settings()
    manifest = tmp_path / "driving" / "20260601" / "manifest.csv"
    manifest.parent.mkdir(parents=True)
    fetch_day(run, "driving", "20260601", manifest, mirror=archive)
    assert set(read_manifest(manifest)["status"]) == {"ok"}
    messages = Messages(manifest)
    listed = messages.file(datetime(2026, 6, 1), 7)
    read = messages.reading(listed, ("U700", "V700"))

    domain = domain_of((500, 518), (900, 921))
    placed, _ = Target(domain.window).place(read(), Checks(listed.valid, "keep"))
    assert placed["U700"].shape == domain.window.shape
    assert np.isfinite(placed["U700"]).all()
    world = World(Surface(domain, terrain(domain, run.seed)))
    truth = _state_at(world, run, listed.valid)
    expected = DrivingFiles(world, run.seed).fields(truth, datetime(2026, 6, 1), 7)
    for name in ("U700", "V700"):
        seen = domain.seen(expected[name])
        assert np.abs(placed[name] - seen).max() < 0.3, name


def _state_at(world, run, valid):
    """The world's state, advanced as the archive's maker does."""
    generator = generator_for(run.seed, "simulated", "truth")
    state = world.start(plan_archive(run).start, generator)
    steps = world.steps(state, Noise(generator))
    while state.time < valid:
        state = next(steps)
    return state
