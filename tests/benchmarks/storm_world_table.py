"""What ways to calibrate do to storms, where the right answer is known: docs/calibration.md.

    python tests/benchmarks/storm_world_table.py [path of the page]

In the toy world of displaced storms (tests/storm_world.py) the ensemble has too little noise by
known factors. Each way learns from validation cases and is scored on others.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from storm_scores import (
    fair_brier,
    share_of_points,
    short_wave_variance,
    spread_error_ratio,
)
from storm_world import STRAYING, StormWorld, storm_world
from timing import hardware, table

from stormdraw.ensembles.calibration import calibration_of, try_amplitudes
from stormdraw.ensembles.copula import couple, moments
from stormdraw.ensembles.emos import fit
from stormdraw.ensembles.marginals import Marginal
from stormdraw.ensembles.noise_groups import groups_of
from stormdraw.ensembles.validation import ValidationScores
from stormdraw.variables import variable

ROOT = Path(__file__).parents[2]
STATE = ["REFC", "T2M"]
LEADS = (1, 2, 3)
MEMBERS = 20
# The noise that members have in units of the truth's: 1.5 and 1.25 times as much would be right.
NOISE = {"REFC": 1 / 1.5, "T2M": 1 / 1.25}
AMPLITUDES = [0.8, 0.9, 1.0, 1.1, 1.25, 1.5]

# Members (case, member, lead, y, x) by variable.
Members = dict[str, np.ndarray]

HEAD = """# What calibration does to storms

`calibrate: true` chooses, on cases of `periods.validation`, the amplitude of the noise that a
model's members are drawn with (`noise_amplitude`), and multiplies no reflectivity, CAPE or CIN. A
storm that is displaced too little becomes a storm displaced farther with more noise; multiplying
its anomaly would make it a stronger storm instead.

1. Each of `ensembles.calibration_amplitudes` is tried for all variables alike, with
   `calibration_members` members of `calibration_cases` cases. A member has the same random numbers
   with each amplitude, so scores differ because of the amplitude and not by chance.
2. Where the noise has a channel for each variable (`diffusion`, `def`), variables with a floor or
   a transform form one group and the others another. Each group prefers an amplitude by its own
   scores. If the two amplitudes differ, they are tried together. The noise of `one_step` is shared
   by all variables and has one amplitude.
3. The best amplitude has the lowest fair CRPS, relative to that of the uncalibrated members of each
   variable and lead. Amplitudes within half a percent of it count as equal; among these, the
   one with spread-error ratios nearest to 1 is chosen. The uncalibrated amplitude is always among
   those tried.
4. T2M, D2M, U10 and V10 (no floor, no transform) may still have the wrong spread. It is multiplied
   by one factor for all of them, which follows a straight line over leads. A dew point above the
   temperature is lowered to it. The factor comes from the spread-error ratio alone: members moved
   away from their own mean are not independent, and the fair CRPS would choose too large a
   factor.

`results/models/{{model}}/calibration_{{system}}.json` records what was tried, the scores of each
by variable and lead, and what was chosen. A calibrated system `x` is always scored beside its
uncalibrated twin, `x_raw`. Both have the same colour on the scorecard, and `x_raw` is dotted.

The other way, `{{method: calibrated, of: <system>}}`, works for any system, the reference's
members too. It fits distributions at each point to validation cases (EMOS), and members keep
their order (ensemble copula coupling); `config/README.md` explains it. The table below shows why
it leaves variables with a floor or a transform raw unless they are named: the spread of the
temperature becomes right, but strong echo becomes too rare and short waves too strong.

## The storm world

A toy world whose right answer is known (`tests/storm_world.py`): storms of Gaussian shape stray
from their tracks, and the temperature is smooth. The storms of the members stray only two thirds as
far as those of the truth, and their temperature departs only 0.8 as far from what is known. Noise
of 1.5 and 1.25 times the amplitude is therefore right. There are {learnt} validation cases,
{tested} others to score, {members} members and leads of 1 to 3 h; scores are means over leads.
"Multiplied" multiplies departures from the ensemble mean by the factor that brings the spread-error
ratio of each variable and lead to 1 on the validation cases. `calibrate: true` did so up to
2026-11-29. "EMOS and copula coupling" is `method: calibrated`, of both variables.

Made by `make storm-world`; {hardware}

"""

TAIL = """
The fair CRPS is too good for members that are moved away from their own mean, multiplied or by
EMOS: they are not independent. Of T2M it is lower than with the right noise. Compare these ways by
the Brier score and the waves.

The dial chose amplitudes of {refc:g} for the storms and {t2m:g} for the temperature{factors}.
"""


def drawn(seed: int, cases: int, amplitudes: Mapping[str, float]) -> StormWorld:
    """The world whose members have their noise multiplied."""
    return storm_world(
        seed=seed,
        cases=cases,
        members=MEMBERS,
        leads=LEADS,
        displacement_noise=NOISE["REFC"] * amplitudes.get("REFC", 1.0),
        temperature_noise=NOISE["T2M"] * amplitudes.get("T2M", 1.0),
        nature=STRAYING,
    )


def scores_of(members: Members, truth: Members) -> ValidationScores:
    scores = ValidationScores(STATE, LEADS, MEMBERS)
    for index, name in enumerate(STATE):
        for case, lead in np.ndindex(truth[name].shape[:2]):
            scores.add(index, lead, members[name][case, :, lead], truth[name][case, lead])
    return scores


def validation_scores(world: StormWorld) -> ValidationScores:
    return scores_of(world.members, world.truth)


def moved(members: np.ndarray, factors: np.ndarray, floor: float) -> np.ndarray:
    """Departures from the mean times a factor of each lead, not below the floor."""
    mean = members.mean(axis=1, keepdims=True)
    return np.maximum(mean + factors[:, None, None] * (members - mean), floor)


def multiply(learnt: StormWorld, tested: StormWorld) -> Members:
    """Each variable at each lead by what it lacks on the validation cases."""
    found = {}
    for name in STATE:
        factors = 1 / spread_error_ratio(learnt.members[name], learnt.truth[name])
        found[name] = moved(tested.members[name], factors, tested.members[name].min())
    return found


def post_process(learnt: StormWorld, tested: StormWorld) -> Members:
    """EMOS and copula coupling of each variable.

    All leads are fitted together, as a run does with few cases and leads that are near.
    """
    random, found = np.random.default_rng(2), {}
    for name in STATE:
        marginal = Marginal(variable(name))
        mean, variance, _ = moments(np.moveaxis(learnt.members[name], 1, 0).astype(float))
        fitted = fit(marginal, *(each.ravel() for each in (mean, variance, learnt.truth[name])))
        found[name] = np.empty_like(tested.members[name])
        for case, members in enumerate(tested.members[name]):
            order = random.permutation(MEMBERS)
            for lead in range(len(LEADS)):
                found[name][case, :, lead] = couple(members[:, lead], marginal, fitted, order)
    return found


def columns(members: Members, truth: Members) -> list[str]:
    """What the page says of one way."""
    storms, strong = members["REFC"], truth["REFC"]
    fair = dict(zip(STATE, scores_of(members, truth).fair_crps().mean(axis=1), strict=True))
    return [
        f"{spread_error_ratio(storms, strong).mean():.2f}",
        f"{fair['REFC']:.3f}",
        f"{fair_brier(storms, strong, 40.0):.5f}",
        f"{share_of_points(storms, 55.0) / share_of_points(strong, 55.0):.2f}",
        f"{short_wave_variance(storms) / short_wave_variance(strong):.2f}",
        f"{spread_error_ratio(members['T2M'], truth['T2M']).mean():.2f}",
        f"{fair['T2M']:.4f}",
    ]


HEADINGS = [
    "",
    *("spread-error ratio, REFC", "fair CRPS (dBZ)", "fair Brier, 40 dBZ"),
    *("points above 55 dBZ, over the truth's", "variance of waves to 8 points, over the truth's"),
    *("spread-error ratio, T2M", "fair CRPS (K)"),
]

# make(validation world, world to score) -> the members of the second, as this way makes them.
WAYS: dict[str, Callable[[StormWorld, StormWorld], Members]] = {
    "as drawn": lambda learnt, tested: tested.members,
    "multiplied": multiply,
    "EMOS and copula coupling": post_process,
}


def main(page: str | None = None, learnt_cases: int = 12, tested_cases: int = 60) -> None:
    learnt, tested = drawn(0, learnt_cases, {}), drawn(1, tested_cases, {})
    rows = [[way, *columns(make(learnt, tested), tested.truth)] for way, make in WAYS.items()]
    groups = groups_of(STATE, by_variable=True)
    tries = try_amplitudes(
        AMPLITUDES, groups, lambda each: validation_scores(drawn(0, learnt_cases, each))
    )
    _, chosen = calibration_of(tries, groups)
    members = dict(drawn(1, tested_cases, chosen.amplitudes).members)
    if "T2M" in chosen.factors:
        factors = np.array(list(chosen.factors["T2M"].values()))
        members["T2M"] = moved(members["T2M"], factors, -np.inf)
    rows.append(["noise, as `calibrate: true` does", *columns(members, tested.truth)])
    right = drawn(1, tested_cases, {name: 1 / noise for name, noise in NOISE.items()})
    rows.append(["drawn with the right noise", *columns(right.members, tested.truth)])
    text = table(HEADINGS, rows)
    by_lead = ", ".join(f"{factor:.2f}" for factor in chosen.factors.get("T2M", {}).values())
    text += TAIL.format(
        refc=chosen.amplitudes["REFC"],
        t2m=chosen.amplitudes["T2M"],
        factors=f", whose spread it then multiplied by {by_lead}" if by_lead else "",
    )
    print(text)
    if page is not None:
        sizes = {"learnt": learnt_cases, "tested": tested_cases, "members": MEMBERS}
        Path(page).write_text(HEAD.format(hardware=hardware(), **sizes) + text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
