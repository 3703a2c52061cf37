"""Variables that the archive has if a configuration asks for them: rain and what is aloft."""

import functools
from datetime import datetime

import numpy as np
import pytest
from simulated_world import DOMAIN, WORLD, generator, hours_of, small_settings

from stormdraw.archive.sources import Folder, candidates
from stormdraw.archive.wanted import dates, requests, sources_of
from stormdraw.membership import members_at
from stormdraw.messages import Header, opened, read_header, read_messages
from stormdraw.seeds import generator_for
from stormdraw.simulated import SIMULATED_ON_REQUEST, SIMULATED_VARIABLES
from stormdraw.simulated.base import BASE
from stormdraw.simulated.domain import domain_of, terrain
from stormdraw.simulated.latents import INDEX
from stormdraw.simulated.lattices import Interpolation, nam_nest_grid
from stormdraw.simulated.layout import member_path
from stormdraw.simulated.mirror import write_archive
from stormdraw.simulated.noise import Noise
from stormdraw.simulated.observed import Observer
from stormdraw.simulated.perfect import draw_members
from stormdraw.simulated.plan import plan_archive
from stormdraw.simulated.rain import rain_of, rain_rate
from stormdraw.simulated.state import State
from stormdraw.simulated.surface import Surface
from stormdraw.simulated.upper_air import upper_air
from stormdraw.simulated.world import World
from stormdraw.times import hours
from stormdraw.variables import VARIABLES

import eccodes  # isort: skip  (after stormdraw)

CASE = datetime(2026, 6, 1, 12)
PERFECT = {"systems": [{"name": "perfect", "method": "perfect"}]}
GIVEN = {
    "predicted": ["REFC", "T2M", "U10", "V10", "U700", "V700"],
    "diagnosed": ["APCP"],
    "input": ["T850", "PWAT"],
}
# HREF's cycle of 12 UTC, whose runs are the shortest.
PERIODS = {
    "training": {"start": "2026-06-01T06:00", "end": "2026-06-01T08:00"},
    "test": {"start": "2026-06-01T12:00", "end": "2026-06-01T14:00"},
}
SETTINGS = small_settings(variables=GIVEN, periods=PERIODS)


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """(folder with the variables on request, folder without, world file)"""
    folder = tmp_path_factory.mktemp("on_request")
    write_archive(SETTINGS, folder / "with", folder / "world.nc")
    write_archive(small_settings(periods=PERIODS), folder / "without", folder / "world_without.nc")
    return folder / "with", folder / "without", folder / "world.nc"


def messages(path):
    """[(header, message)] of a file."""
    found: list[tuple[Header, bytes]] = []
    for message in read_messages(path):
        with opened(message) as handle:
            found.append((read_header(handle), message))
    return found


def values_of(path, name):
    """The field (y, x) of the file's only message of a variable."""
    (content,) = (
        content for header, content in messages(path) if header.variable is VARIABLES[name]
    )
    with opened(content) as handle:
        shape = eccodes.codes_get(handle, "Nj"), eccodes.codes_get(handle, "Ni")
        return eccodes.codes_get_values(handle).reshape(shape)


@functools.cache
def true_hours() -> tuple[Surface, dict[datetime, tuple[State, ...]]]:
    """The surface of the archive's world, and its states of each hour by the hour's end."""
    window = SETTINGS.archive.simulated
    domain = domain_of(window.rows, window.columns)
    world = World(Surface(domain, terrain(domain, SETTINGS.seed)))
    stream = generator_for(SETTINGS.seed, "simulated", "truth")
    plan = plan_archive(SETTINGS)
    found = {}
    for hour in world.hours(world.start(plan.start, stream), Noise(stream)):
        found[hour[-1].time] = hour
        if hour[-1].time == plan.end:
            return world.surface, found
    raise AssertionError


def true_rain(valid):
    """Rain (y, x) over the hour before a time, from the echo of its states."""
    surface, found = true_hours()
    rates = [rain_rate(surface.observe(state)["REFC"]) for state in found[valid]]
    return surface.domain.seen(rain_of(surface.domain, found[valid], rates))


def test_every_file_that_is_wanted_has_each_variable_once(archives):
    folder, _, _ = archives
    wanted: dict[str, set[str]] = {}
    for source in sources_of(SETTINGS):
        for date in dates(SETTINGS, source):
            for request in requests(SETTINGS, source, date):
                path = folder / next(iter(candidates(request, Folder(folder)).values()))
                names = [
                    header.variable.name
                    for header, _ in messages(path)
                    if header.variable
                    and (header.statistic, header.lead) == (request.statistic, request.lead)
                ]
                assert [names.count(name) for name in request.variables] == [1] * len(
                    request.variables
                )
                wanted.setdefault(source, set()).update(request.variables)
    assert set(SIMULATED_ON_REQUEST) <= wanted["hrrr"]
    assert {"APCP", "U700", "V700"} <= wanted["href"]


def test_what_is_asked_for_changes_no_other_message(archives):
    folder, without, _ = archives
    for path in sorted(without.rglob("*.grib2")):
        own = {message for _, message in messages(folder / path.relative_to(without))}
        assert own >= {message for _, message in messages(path)}


def test_without_them_no_file_has_them(archives):
    _, without, _ = archives
    assert plan_archive(small_settings()).further == ()
    assert not (without / BASE.path(CASE - hours(2), 1)).exists()
    for path in without.rglob("*.grib2"):
        names = {header.variable.name for header, _ in messages(path) if header.variable}
        assert not names & set(SIMULATED_ON_REQUEST)


def test_an_analysis_has_no_rain(archives):
    folder, _, _ = archives
    parameters = []
    for _, content in messages(folder / BASE.path(CASE, 0)):
        with opened(content) as handle:
            keys = ("discipline", "parameterCategory", "parameterNumber")
            parameters.append(tuple(eccodes.codes_get(handle, key) for key in keys))
    assert VARIABLES["PWAT"].grib.parameter in parameters
    assert VARIABLES["APCP"].grib.parameter not in parameters


def test_rain_of_hrrrs_first_hour_is_the_truth(archives):
    """In the file of a case as well, whose other fields are HRRR's own forecast."""
    folder, _, _ = archives
    for valid in (CASE - hours(5), CASE - hours(1), CASE, CASE + hours(1), CASE + hours(2)):
        path = folder / BASE.path(valid - hours(1), 1)
        rain = true_rain(valid)
        np.testing.assert_allclose(values_of(path, "APCP"), rain, atol=0.0051)
    assert rain.max() > 0.05
    of_the_case = folder / BASE.path(CASE, 1)
    analysis = values_of(folder / BASE.path(CASE + hours(1), 0), "T2M")
    assert np.abs(values_of(of_the_case, "T2M") - analysis).mean() > 0.1


def test_rain_of_another_models_first_hour_is_its_own(archives):
    folder, _, _ = archives
    surface, found = true_hours()
    rates = [rain_rate(surface.observe(state)["REFC"]) for state in found[CASE + hours(1)]]
    rain = rain_of(surface.domain, found[CASE + hours(1)], rates)
    nam = members_at("href", CASE)[0]
    own_grid = nam_nest_grid(surface.domain.window)
    there = Interpolation(surface.domain.box, own_grid).apply({"APCP": rain})["APCP"]
    assert np.abs(values_of(folder / member_path(nam, CASE, 1), "APCP") - there).max() > 0.05


def test_later_hours_of_a_forecast_have_its_own_rain(archives):
    folder, _, _ = archives
    rain = true_rain(CASE + hours(2))
    for init, lead in ((CASE, 2), (CASE - hours(6), 8)):
        forecast, before = (
            values_of(folder / BASE.path(init, own), "APCP") for own in (lead, lead - 1)
        )
        assert np.abs(forecast - rain).max() > 0.05
        assert (forecast != before).any()


def test_fields_aloft_are_those_of_the_state(archives):
    folder, _, _ = archives
    surface, truth = true_hours()
    aloft = upper_air(surface, truth[CASE][-1])
    for name in ("T850", "U700", "V700", "PWAT"):
        expected = surface.domain.seen(aloft[name])
        found = values_of(folder / BASE.path(CASE, 0), name)
        np.testing.assert_allclose(found, expected, atol=0.51 * VARIABLES[name].precision)


def test_a_world_starts_an_hour_before_its_first_rain():
    archive = {
        "source": "simulated",
        "simulated": {"rows": [500, 518], "columns": [900, 921], "spin_up_hours": 0},
    }
    starts = [
        plan_archive(small_settings(archive=archive, ensembles=PERFECT, variables=names)).start
        for names in (["T2M"], ["T2M", "PWAT"], ["T2M", "APCP"])
    ]
    assert starts == [datetime(2026, 6, 1), datetime(2026, 6, 1), datetime(2026, 5, 31, 23)]


def test_air_aloft_without_waves_is_its_mean_moved_by_the_steering_wind():
    state = hours_of(WORLD, 0)[0]
    still = State(
        state.time, np.array([7.0, -3.0]), 0 * state.latents, state.pool, state.heat, state.cells
    )
    aloft = upper_air(WORLD.surface, still)
    for name, expected in (("U700", 7.0), ("V700", -3.0), ("T850", 288.0), ("PWAT", 30.0)):
        np.testing.assert_allclose(aloft[name], expected, atol=1e-4)


def test_wind_aloft_turns_about_a_wave_of_the_streamfunction():
    """psi = A sin(k y): u = -A k cos(k y), and no wind along y but the steering."""
    rows = np.arange(DOMAIN.shape[0])[:, None] * DOMAIN.spacing
    k = 2 * np.pi * 2 / DOMAIN.lengths[0]
    psi = np.broadcast_to(3.0 / k * np.sin(k * rows), DOMAIN.shape)
    state = hours_of(WORLD, 0)[0]
    latents = 0 * state.latents
    latents[INDEX["streamfunction"]] = DOMAIN.on_waves(psi)
    turning = State(state.time, np.array([5.0, 1.0]), latents, state.pool, state.heat, state.cells)
    aloft = upper_air(WORLD.surface, turning)
    expected = np.broadcast_to(5.0 - 3.0 * np.cos(k * rows), DOMAIN.shape)
    np.testing.assert_allclose(aloft["U700"], expected, atol=1e-4)
    np.testing.assert_allclose(aloft["V700"], 1.0, atol=1e-4)


def test_more_that_is_observed_changes_nothing_of_the_rest():
    hour = next(WORLD.hours(hours_of(WORLD, 20)[-1], Noise(generator())))
    seven = WORLD.surface.observe(hour[-1])
    for further in ((), ("U700", "V700"), SIMULATED_ON_REQUEST):
        seen = Observer(WORLD.surface, further).observe(hour)
        assert tuple(seen) == (*SIMULATED_VARIABLES, *further)
        for name, values in seven.items():
            np.testing.assert_array_equal(seen[name], values)


def test_hours_that_nobody_observes_change_nothing_of_the_others():
    hours_ahead = WORLD.hours(hours_of(WORLD, 20)[-1], Noise(generator()))
    first, second, third = (next(hours_ahead) for _ in range(3))
    every, some = (Observer(WORLD.surface, ("APCP",)) for _ in range(2))
    for hour in (first, second, third):
        rain = every.observe(hour)["APCP"]
    some.observe(first)
    np.testing.assert_array_equal(some.observe(third)["APCP"], rain)


def test_a_member_has_the_variables_that_are_asked_for(archives):
    _, _, world = archives
    names = (*SETTINGS.roles.forecast,)
    drawn = draw_members(world, CASE, [1, 2], 2, 3, "perfect", names)
    assert tuple(drawn.data_vars) == names
    usual = draw_members(world, CASE, [1, 2], 2, 3, "perfect")
    np.testing.assert_array_equal(drawn["T2M"].values, usual["T2M"].values)
    assert drawn["APCP"].attrs["units"] == "kg m-2"
    assert float(drawn["APCP"].min()) >= 0.0


@pytest.fixture(scope="module")
def hourly_cases(tmp_path_factory):
    """Rain (case, member, y, x) of 24 cases, an hour each: members, and what came true.

    Also what came true an hour later. Each case's noise is new, so given its state the truth is a
    draw like any other, whatever the cases before it were.
    """
    folder = tmp_path_factory.mktemp("hourly")
    run = small_settings(
        periods={
            "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T02:00"},
            "test": {"start": "2026-06-01T16:00", "end": "2026-06-02T16:00"},
        },
        leads=[1],
        cases={"every_hours": 1},
        archive={
            "source": "simulated",
            "simulated": {"rows": [500, 524], "columns": [900, 932], "spin_up_hours": 12},
        },
        ensembles=PERFECT,
        variables=["REFC", "APCP"],
    )
    write_archive(run, folder / "archive", folder / "world.nc")
    inits = run.initial_times()
    members = [
        draw_members(folder / "world.nc", init, [1], 5, run.seed, "perfect", ["APCP"])["APCP"]
        for init in inits
    ]
    truth = [values_of(folder / "archive" / BASE.path(init, 1), "APCP") for init in inits]
    drawn = np.stack([of_case.values[:, 0] for of_case in members])
    return drawn, np.stack(truth).astype(np.float32)


def exchangeable(members: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """How many of 1,000 random choices of who is the truth give at least what the truth gives.

    An exact test: if the truth is one of the draws, each share is uniform. The statistics are the
    mean of rain, of its square root, and the squared departure of that from the others' mean.
    """
    every = np.sqrt(np.concatenate([truth[:, None], members], axis=1).astype(np.float64))
    others = (every.sum(axis=1, keepdims=True) - every) / members.shape[1]
    statistics = {
        "rain": (every**2).mean(axis=(2, 3)),
        "root": every.mean(axis=(2, 3)),
        "error": ((every - others) ** 2).mean(axis=(2, 3)),
    }
    cases = np.arange(len(truth))
    chosen = generator().integers(every.shape[1], size=(1000, len(truth)))
    return {
        name: float(np.mean(values[cases, chosen].sum(axis=1) >= values[:, 0].sum()))
        for name, values in statistics.items()
    }


def test_rain_of_perfect_members_is_distributed_as_the_truth(hourly_cases):
    members, truth = hourly_cases
    assert truth.max() > 5.0
    for name, share in exchangeable(members, truth).items():
        assert 0.001 < share < 0.999, name


def test_wrong_rain_is_told_from_the_truth(hourly_cases):
    """That of an hour later, or three times as much."""
    members, truth = hourly_cases
    assert exchangeable(members[:-1], truth[1:])["error"] <= 0.001
    assert exchangeable(members, 3.0 * truth)["rain"] <= 0.001
