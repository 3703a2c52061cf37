"""The perfect ensemble is calibrated; HREF is too sharp and less skilful."""

import itertools

import numpy as np
import pytest
from scipy.stats import chi2
from simulated_world import DOMAIN, SEED, START, WORLD, generator

from stormdraw.membership import members_at
from stormdraw.simulated.forecasts import CommonBackground, Start, forecasters
from stormdraw.simulated.noise import Noise, SharedNoise
from stormdraw.simulated.plan import model_name
from stormdraw.simulated.surface import to_precision
from stormdraw.times import hours

VARIABLES = ("T2M", "U10")
LEAD = 1
PERFECT_MEMBERS = 9
CASES = [START + hours(24 + 6 * number) for number in range(35)]
HREF_MODELS = {model_name(member) for member in members_at("href", CASES[0])}

# Every thirty hours, so that all cycles of the day are among them.
HREF_CASES = slice(None, None, 5)

# Far enough apart for their errors to be nearly independent (100 km and more).
FAR_APART = ([0, 0, 36, 36], [0, 40, 0, 40])


def seen(fields) -> np.ndarray:
    """(variable, y, x), as the archive rounds."""
    return np.stack([to_precision(name, fields[name]) for name in VARIABLES])


@pytest.fixture(scope="module")
def history():
    """The truth and the models' common background at every hour of ten days."""
    shared = SharedNoise(SEED, "model noise")
    background = CommonBackground(WORLD.spectra, shared, SEED)
    stream = generator()
    state = WORLD.start(START, stream)
    starts = {START: Start(state, background.waves)}
    for later in WORLD.steps(state, Noise(stream)):
        background.step(state)
        state = later
        if state.time.minute == 0:
            starts[state.time] = Start(state, background.waves)
        if state.time == CASES[-1] + hours(LEAD):
            return starts, forecasters(WORLD.surface, SEED, shared, HREF_MODELS)


@pytest.fixture(scope="module")
def truth(history):
    """(case, variable, y, x)"""
    starts, _ = history
    valid = [starts[case + hours(LEAD)].truth for case in CASES]
    return np.stack([seen(WORLD.surface.observe(state)) for state in valid])


@pytest.fixture(scope="module")
def perfect(history):
    """(case, member, variable, y, x)"""
    starts, _ = history
    drawn = []
    for number, case in enumerate(CASES):
        for member in range(PERFECT_MEMBERS):
            noise = Noise(generator(1000 * number + member + 10**6))
            states = WORLD.hourly(starts[case].truth, noise)
            state = next(itertools.islice(states, LEAD - 1, None))
            drawn.append(seen(WORLD.surface.observe(state)))
    return np.stack(drawn).reshape(len(CASES), PERFECT_MEMBERS, len(VARIABLES), *DOMAIN.shape)


@pytest.fixture(scope="module")
def href(history):
    """(case, member, variable, y, x), of some cases"""
    starts, models = history
    forecasts = []
    for case in CASES[HREF_CASES]:
        for member in members_at("href", case):
            start = starts[case - hours(member.age)]
            run = models[model_name(member)].run(start, [member.own_lead(LEAD)])
            forecasts.extend(seen(fields) for _, fields in run)
    return np.stack(forecasts).reshape(len(CASES[HREF_CASES]), 10, len(VARIABLES), *DOMAIN.shape)


def spread_error(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """sqrt((M + 1) / M mean variance / mean squared error of the mean), for each variable."""
    count = members.shape[1]
    variance = members.var(axis=1, ddof=1).mean(axis=(0, 2, 3))
    squared = ((members.mean(axis=1) - truth) ** 2).mean(axis=(0, 2, 3))
    return np.sqrt((count + 1) / count * variance / squared)


def test_the_truth_is_as_likely_at_any_rank_of_the_perfect_ensemble(truth, perfect):
    """Chi-square of 140 ranks (35 cases, 4 points) among 10, at a level of one in a thousand."""
    rows, columns = FAR_APART
    for index in range(len(VARIABLES)):
        members = perfect[:, :, index, rows, columns]
        value = truth[:, None, index, rows, columns]
        tied = generator().random((len(CASES), 4)) * (1 + (members == value).sum(axis=1))
        ranks = (members < value).sum(axis=1) + tied.astype(int)
        counts = np.bincount(ranks.ravel(), minlength=PERFECT_MEMBERS + 1)
        expected = ranks.size / (PERFECT_MEMBERS + 1)
        statistic = np.sum((counts - expected) ** 2 / expected)
        assert statistic < chi2.ppf(0.999, PERFECT_MEMBERS)


def test_the_perfect_ensemble_spreads_as_much_as_it_errs(truth, perfect):
    np.testing.assert_allclose(spread_error(perfect, truth), 1.0, atol=0.12)


def test_href_spreads_less_than_it_errs(truth, href):
    ratio = spread_error(href, truth[HREF_CASES])
    assert (ratio < 0.9).all()
    assert (ratio > 0.4).all()


def test_href_errs_more_than_the_perfect_ensemble(truth, perfect, href):
    def error(members: np.ndarray) -> np.ndarray:
        squared = (members.mean(axis=1) - truth[HREF_CASES]) ** 2
        return np.sqrt(squared.mean(axis=(0, 2, 3)))

    assert (error(href) > 1.3 * error(perfect[HREF_CASES])).all()


def test_persistence_errs_more_than_the_perfect_ensemble(history, truth, perfect):
    starts, _ = history
    now = np.stack([seen(WORLD.surface.observe(starts[case].truth)) for case in CASES])
    persistence = np.sqrt(((now - truth) ** 2).mean(axis=(0, 2, 3)))
    mean = np.sqrt(((perfect.mean(axis=1) - truth) ** 2).mean(axis=(0, 2, 3)))
    assert (persistence > 1.5 * mean).all()


def test_older_runs_err_more(truth, href):
    """NAM's nest and HRRR, of which HREF has a new run and one of six hours before."""
    names = [member.name for member in members_at("href", CASES[0])]
    for model in ("nam_nest", "hrrr"):
        new, old = (
            np.mean((href[:, names.index(f"{model}_{age}")] - truth[HREF_CASES]) ** 2)
            for age in ("00h", "06h")
        )
        assert np.sqrt(old) > 1.1 * np.sqrt(new)


def test_a_run_is_the_same_whoever_asks_for_it_and_for_which_leads(history):
    """The newest run of one cycle is the older one of the next."""
    starts, models = history
    start = starts[CASES[0]]
    asked_early = dict(models["nam_nest"].run(start, [1, 7]))
    next(iter(models["hrrr"].run(start, [2])))
    asked_late = dict(models["nam_nest"].run(start, [7]))
    np.testing.assert_array_equal(asked_early[7]["T2M"], asked_late[7]["T2M"])


def test_models_differ(history):
    starts, models = history
    start = starts[CASES[0]]
    fields = [dict(model.run(start, [1]))[1]["T2M"] for model in models.values()]
    for one, other in itertools.combinations(fields, 2):
        assert np.sqrt(np.mean((one - other) ** 2)) > 0.1
