"""The calibration dial, where the right amount of noise is known."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import scoringrules
from storm_scores import fair_brier, multiplied, share_of_points, short_wave_variance
from storm_world import STRAYING, StormWorld, storm_world

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.calibration import (
    Calibration,
    Try,
    best_try,
    calibration_of,
    choose,
    choose_factors,
    read_calibration,
    try_amplitudes,
    write_calibration,
)
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.noise_groups import each_variable, groups_of, most_tries
from stormdraw.ensembles.validation import ValidationScores
from stormdraw.errors import StormdrawError
from stormdraw.times import hours

START = datetime(2026, 6, 1)
GRID = HRRR.crop(slice(480, 485), slice(880, 886))
AMPLITUDES = [0.8, 1.0, 1.25, 1.5]
STATE = ["REFC", "T2M"]
LEADS = (1, 2)


# What the members' noise is less than the truth's by: 1.5 and 1.25 times as much make it right.
LACKING = {"REFC": 1 / 1.5, "T2M": 1 / 1.25}


def world(amplitudes: Mapping[str, float], seed: int = 0, cases: int = 10) -> StormWorld:
    return storm_world(
        seed=seed,
        cases=cases,
        members=8,
        leads=LEADS,
        displacement_noise=LACKING["REFC"] * amplitudes.get("REFC", 1.0),
        temperature_noise=LACKING["T2M"] * amplitudes.get("T2M", 1.0),
        nature=STRAYING,
    )


def score(amplitudes: Mapping[str, float]) -> ValidationScores:
    drawn = world(amplitudes)
    scores = ValidationScores(STATE, LEADS, 8)
    for index, name in enumerate(STATE):
        for case, truth in enumerate(drawn.truth[name]):
            for lead, field in enumerate(truth):
                scores.add(index, lead, drawn.members[name][case, :, lead], field)
    return scores


@pytest.fixture(scope="module")
def tries():
    """Of a model whose noise has a channel for each variable."""
    return try_amplitudes(AMPLITUDES, groups_of(STATE, True), score)


def test_each_group_is_given_the_noise_that_it_lacks(tries) -> None:
    groups = groups_of(STATE, True)
    place, chosen = calibration_of(tries, groups)
    assert chosen.amplitudes == {"REFC": 1.5, "T2M": 1.25}
    # Each amplitude for both groups, and then the two that they prefer.
    assert [tuple(one.amplitudes.values()) for one in tries] == [
        *((amplitude, amplitude) for amplitude in AMPLITUDES),
        (1.25, 1.5) if list(groups) == ["gaussian", "not_gaussian"] else (1.5, 1.25),
    ]
    assert place == len(AMPLITUDES)


def test_groups_that_prefer_the_same_are_drawn_no_more(tries) -> None:
    by_amplitude = {one.amplitudes["gaussian"]: one.scores for one in tries[: len(AMPLITUDES)]}
    asked = []

    def again(amplitudes):
        asked.append(amplitudes)
        return by_amplitude[amplitudes["REFC"]]

    try_amplitudes([1.0, 1.25], groups_of(STATE, True), again)
    assert asked == [dict.fromkeys(STATE, 1.0), dict.fromkeys(STATE, 1.25)]
    assert most_tries(groups_of(STATE, True), AMPLITUDES) == 5
    assert most_tries(groups_of(STATE, False), AMPLITUDES) == 4
    assert most_tries(groups_of(["T2M"], True), AMPLITUDES) == 4


def test_a_model_of_one_noise_has_one_amplitude() -> None:
    groups = groups_of(["REFC", "T2M", "CAPE"], False)
    assert groups == {"all": ["REFC", "T2M", "CAPE"]}
    assert each_variable({"all": 1.2}, groups) == {"REFC": 1.2, "T2M": 1.2, "CAPE": 1.2}
    parts = groups_of(["REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN"], True)
    assert parts == {
        "not_gaussian": ["REFC", "CAPE", "CIN"],
        "gaussian": ["T2M", "D2M", "U10", "V10"],
    }


def test_noise_keeps_storms_storms_and_multiplying_does_not(tries) -> None:
    """On cases that nothing was chosen on."""
    _, chosen = calibration_of(tries, groups_of(STATE, True))
    raw, dialled = (world(amplitudes, seed=1, cases=20) for amplitudes in ({}, chosen.amplitudes))
    truth = raw.truth["REFC"]
    by_hand = multiplied(raw.members["REFC"], truth)

    def spoilt(members: np.ndarray) -> tuple[float, float, float]:
        return (
            fair_brier(members, truth, 40.0),
            abs(np.log(short_wave_variance(members) / short_wave_variance(truth))),
            share_of_points(members, 55.0),
        )

    before, with_noise, times = map(spoilt, (raw.members["REFC"], dialled.members["REFC"], by_hand))
    # A better forecast of strong echo; waves and strongest echo as in the truth, to chance.
    assert with_noise[0] < before[0]
    assert with_noise[1] < before[1] + 0.02
    assert with_noise[2] == pytest.approx(before[2], rel=0.1)
    # A worse forecast, a third more variance in short waves, more than twice the strongest echo.
    assert times[0] > before[0]
    assert times[1] > before[1] + 0.2
    assert times[2] > 2 * before[2]


def test_only_what_is_gaussian_is_multiplied() -> None:
    """The world's reflectivity lacks more spread than its temperature, and keeps its anomalies."""
    factors = choose_factors(score({}))
    assert set(factors) == {"T2M"}
    # The spread of the temperature is in proportion to its noise, at any lead.
    assert list(factors["T2M"].values()) == pytest.approx([1.25, 1.25], abs=0.15)
    floored = ValidationScores(["REFC", "CAPE", "CIN"], [1], 4)
    assert choose_factors(floored) == {}


def gaussian_scores(spreads: Mapping[str, list[float]], leads: list[int]) -> ValidationScores:
    """Truth of unit variance about a known centre; members of other spreads about the same."""
    random = np.random.default_rng(2)
    scores = ValidationScores(list(spreads), leads, 8)
    for index, each in enumerate(spreads.values()):
        for lead, spread in enumerate(each):
            centre = 290.0 + random.normal(size=(150, 150))
            members = centre + spread * random.normal(size=(8, 150, 150))
            scores.add(index, lead, members, centre + random.normal(size=(150, 150)))
    return scores


def test_the_factor_is_right_for_any_number_of_members() -> None:
    """It is 1 over the spread, though a few members have a mean that is wrong by itself."""
    for spread in (0.6, 1.5):
        scores = gaussian_scores({"T2M": [spread]}, [1])
        assert choose_factors(scores)["T2M"][1] == pytest.approx(1 / spread, abs=0.02)
    assert choose_factors(gaussian_scores({"T2M": [1.0]}, [1])) == {}
    assert choose_factors(gaussian_scores({"T2M": [0.1]}, [1])) == {"T2M": {1: 2.0}}


def test_factors_lie_on_a_line_that_all_variables_share() -> None:
    """What is lacking is 1, 1 and 1.5 at 1, 2 and 5 h: least squares by hand, about the mean of the
    leads, 8/3, have the slope (-5/3 - 2/3 + 7/3 1.5) / (26/3) and the mean 7/6."""
    spreads = {"T2M": [1.0, 1.0, 1 / 1.8], "U10": [1.0, 1.0, 1 / 1.25]}
    factors = choose_factors(gaussian_scores(spreads, [1, 2, 5]))
    slope = (-5 / 3 - 2 / 3 + 7 / 3 * 1.5) / (26 / 3)
    right = [7 / 6 + slope * (lead - 8 / 3) for lead in (1, 2, 5)]
    assert factors["T2M"] == factors["U10"]
    assert list(factors["T2M"].values()) == pytest.approx(right, abs=0.02)


def test_the_rule() -> None:
    """Lowest score; within half a percent of it the ratio counts; what is unknown does not."""
    relative = np.array([1.0, 0.904, 0.900, 0.906, np.nan])
    distance = np.array([0.0, 0.1, 0.2, 0.0, 0.0])
    assert choose(relative, distance, 0) == 1
    assert choose(np.array([0.9, 1.0]), np.array([0.5, 0.0]), 1) == 0
    unknown = np.full(3, np.nan)
    assert choose(unknown, unknown, 2) == 2
    assert choose(np.array([1.0, 0.5]), np.array([0.1, np.nan]), 0) == 0


def test_variables_count_alike_whatever_their_units() -> None:
    """CAPE gains 10 % by more noise and temperature loses 30 %, which is less in its units."""

    def scored(crps: list[float]) -> ValidationScores:
        scores = ValidationScores(["T2M", "CAPE"], [1], 4)
        scores.points += 1.0
        scores.variance += 4 / 5
        scores.squared_error += 1.0
        scores.crps[:, 0] = crps
        return scores

    tries = [
        Try({"all": 1.0}, scored([1.0, 100.0])),
        Try({"all": 1.5}, scored([1.3, 90.0])),
    ]
    assert best_try(tries, ["T2M", "CAPE"]) == 0
    assert best_try(tries, ["CAPE"]) == 1


def test_a_variable_whose_fair_crps_says_nothing_does_not_count() -> None:
    """It can be 0, or below 0 by chance: then a ratio to it says nothing of which is better."""

    def scored(crps: list[float]) -> ValidationScores:
        scores = ValidationScores(["T2M", "REFC", "CAPE"], [1], 4)
        scores.points += 1.0
        scores.variance += 4 / 5
        scores.squared_error += 1.0
        scores.crps[:, 0] = crps
        return scores

    tries = [
        Try({"all": 1.0}, scored([1.0, -0.1, 0.0])),
        Try({"all": 1.5}, scored([1.1, 9.0, 9.0])),
    ]
    assert best_try(tries, ["T2M", "REFC", "CAPE"]) == 0


def test_scores_are_those_of_scoringrules() -> None:
    random = np.random.default_rng(0)
    members, truth = 280 + random.normal(size=(5, 6, 7)), 280 + random.normal(size=(6, 7))
    scores = ValidationScores(["T2M"], [1], 5)
    scores.add(0, 0, members, truth)
    theirs = scoringrules.crps_ensemble(truth, members, m_axis=0, estimator="fair").mean()
    assert scores.fair_crps()[0, 0] == pytest.approx(theirs, rel=1e-9)
    error = ((members.mean(axis=0) - truth) ** 2).mean()
    right = np.sqrt(6 / 5 * members.var(axis=0, ddof=1).mean() / error)
    assert scores.ratios()[0, 0] == pytest.approx(right, rel=1e-9)


def test_missing_points_do_not_count() -> None:
    whole, holed = ValidationScores(["T2M"], [1], 3), ValidationScores(["T2M"], [1], 3)
    random = np.random.default_rng(0)
    members, truth = 280 + random.normal(size=(3, 4, 5)), 280 + random.normal(size=(4, 5))
    whole.add(0, 0, members[:, 1:, 1:], truth[1:, 1:])
    truth[0] = np.nan
    members[1, :, 0] = np.nan
    holed.add(0, 0, members, truth)
    np.testing.assert_allclose(holed.ratios(), whole.ratios())
    np.testing.assert_allclose(holed.fair_crps(), whole.fair_crps())


def test_without_spread_or_error_ratio_and_lack_are_unknown() -> None:
    """Of four members; the columns are leads. The last error is less than the mean's own."""
    scores = ValidationScores(["T2M"], [1, 2, 3, 4], 4)
    scores.variance[0] = [1.0, 0.0, 1.0, 1.0]
    scores.squared_error[0] = [1.25, 1.0, 0.0, 0.2]
    np.testing.assert_allclose(scores.ratios(), [[1.0, np.nan, np.nan, 2.5]])
    np.testing.assert_allclose(scores.lacking(), [[1.0, np.nan, np.nan, np.nan]])


def test_nothing_is_changed_where_nothing_is_known() -> None:
    """As where the archive lacks every initial state of the validation cases."""
    groups = groups_of(STATE, True)
    tries = try_amplitudes(AMPLITUDES, groups, lambda _: ValidationScores(STATE, LEADS, 4))
    assert calibration_of(tries, groups) == (1, Calibration(dict.fromkeys(STATE, 1.0), {}))


class Analyses:
    """States (variable, y, x) that tell their hour."""

    def read(self, time: datetime) -> np.ndarray:
        hour = (time - START) / hours(1)
        return np.stack([np.full(GRID.shape, 0.1 * hour + start) for start in (280.0, 1.0, -2.0)])


def test_a_case_is_compared_with_its_valid_times(tmp_path: Path) -> None:
    state = ["T2M", "U10", "V10"]
    case = Case("small", "diffusion", START + hours(22), [1, 3], state)
    truth = np.array([Analyses().read(case.init + hours(lead)) for lead in (1, 3)])
    values = np.stack([truth + 1.0, truth + 3.0])  # an error of 2, a variance of 2
    with ensemble_file(tmp_path / "e.nc", GRID, case, range(2), {}) as put:
        for k, j in np.ndindex(2, 2):
            put(k, j, values[k, j].astype(np.float32))
    scores = ValidationScores(state, case.leads, 2)
    scores.add_case(tmp_path / "e.nc", Analyses(), case.init)  # type: ignore[arg-type]
    np.testing.assert_allclose(scores.ratios(), np.sqrt(3 / 4), rtol=1e-4)
    # |1| and |3| away from the truth, 2 from each other: 2 - 2 / 2.
    np.testing.assert_allclose(scores.fair_crps(), 1.0, rtol=1e-4)
    half = ValidationScores(state, case.leads, 2)
    half.add_case(tmp_path / "e.nc", Analyses(), case.init, {case.init + hours(3)})  # type: ignore[arg-type]
    np.testing.assert_array_equal(half.squared_error[:, 0], scores.squared_error[:, 0])
    assert (half.points[:, 1] == 0).all()
    with pytest.raises(StormdrawError, match="one member, which has no spread to calibrate"):
        ValidationScores(state, [1], 4).add_case(tmp_path / "e.nc", Analyses(), case.init)  # type: ignore[arg-type]


def test_a_calibration_says_what_was_tried_and_is_read_back(tmp_path: Path, tries) -> None:
    path, groups = tmp_path / "calibration.json", groups_of(STATE, True)
    write_calibration(path, "small", 8, [START], groups, tries)
    _, chosen = calibration_of(tries, groups)
    assert read_calibration(path) == chosen
    told = json.loads(path.read_text())
    assert told["cases"] == ["2026-06-01 00 UTC"]
    assert [one["amplitudes"]["not_gaussian"] for one in told["tries"]] == [*AMPLITUDES, 1.5]
    of_storms = [one["scores"]["REFC"]["2"]["fair_crps"] for one in told["tries"]]
    assert told["chosen"]["try"] == 4
    assert of_storms[4] == min(of_storms[1:])
    assert told["tries"][1]["scores"]["T2M"]["1"]["spread_error_ratio"] < 0.9


def test_scores_that_are_not_known_are_null(tmp_path: Path) -> None:
    nothing = ValidationScores(["T2M"], [1], 4)
    write_calibration(
        tmp_path / "c.json", "small", 4, [START], {"all": ["T2M"]}, [Try({"all": 1.0}, nothing)]
    )
    told = json.loads((tmp_path / "c.json").read_text())
    assert told["tries"][0]["scores"]["T2M"]["1"] == {"fair_crps": None, "spread_error_ratio": None}


def test_what_is_no_calibration(tmp_path: Path) -> None:
    assert read_calibration(None) == Calibration()
    path = tmp_path / "calibration.json"
    # The last is what was written before amplitudes.
    for other in (
        *(None, "{", "[1]", "{}", '{"chosen": {"amplitudes": [1], "factors": {}}}'),
        *('{"chosen": {"factors": {}}}', '{"variables": {"T2M": {"factor": 1.5}}}'),
    ):
        if other is not None:
            path.write_text(other)
        with pytest.raises(StormdrawError, match="not a calibration that can be read"):
            read_calibration(path)
