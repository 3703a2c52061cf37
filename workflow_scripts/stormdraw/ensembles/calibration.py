"""The calibration dial: how much noise a model's members are drawn with, chosen on validation.

A storm that is displaced too little becomes a storm displaced farther with more noise; multiplying
its anomaly would make it a stronger storm instead. So the dial is the amplitude of the noise, one
number for a group of variables at all leads.

The rule: the lowest fair CRPS on the validation cases; amplitudes within half a percent of it count
as equal, and of these the one is taken whose spread-error ratios are nearest to 1. The fair CRPS of
each variable and lead counts relative to that of the uncalibrated members, so that units do not
matter, and near is by the logarithm, so that half and twice are equally far.

Variables of the Gaussian kind alone (no floor, no transform: temperature, dew point, wind) have the
spread that then still lacks multiplied, by one factor for all of them that changes in a straight
line from the first lead to the last. The fair CRPS cannot choose it: members that are moved away
from their own mean are no longer independent, and it would take too large a factor (1.8 where 1.67
is right, of eight members).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from stormdraw.ensembles.noise_groups import Groups, each_variable
from stormdraw.ensembles.validation import ValidationScores
from stormdraw.errors import StormdrawError
from stormdraw.files import write_text
from stormdraw.variables import variable

# A difference of the fair CRPS that a handful of cases cannot tell from none.
_TIE = 0.005
# The least and the largest factor on the spread, and what is as good as none.
_FACTORS = (0.5, 2.0)
_NO_FACTOR = 0.02

# score(multiple of the noise's amplitude by variable) -> what the validation cases then score
Score = Callable[[Mapping[str, float]], ValidationScores]

# A factor on departures from the mean, by variable and lead in hours.
Factors = Mapping[str, Mapping[int, float]]


@dataclass(frozen=True)
class Calibration:
    """Multiples of the noise's amplitude by variable, and factors on departures from the mean.

    What is not named stays as it is.
    """

    amplitudes: Mapping[str, float] = field(default_factory=dict)
    factors: Factors = field(default_factory=dict)


@dataclass(frozen=True)
class Try:
    """Multiples of the amplitude by group, and what the validation cases scored with them."""

    amplitudes: Mapping[str, float]
    scores: ValidationScores


def try_amplitudes(amplitudes: Sequence[float], groups: Groups, score: Score) -> list[Try]:
    """Each amplitude for all groups; then, if groups prefer different ones, each with its own.

    One of `amplitudes` is 1.
    """

    def tried(by_group: Mapping[str, float]) -> Try:
        return Try(by_group, score(each_variable(by_group, groups)))

    tries = [tried(dict.fromkeys(groups, amplitude)) for amplitude in amplitudes]
    preferred = {name: amplitudes[best_try(tries, of)] for name, of in groups.items()}
    if len(set(preferred.values())) > 1:
        tries.append(tried(preferred))
    return tries


def best_try(tries: Sequence[Try], variables: Sequence[str]) -> int:
    """The place of the best by these variables; of the uncalibrated one if nothing is known."""
    uncalibrated = next(
        place for place, one in enumerate(tries) if set(one.amplitudes.values()) == {1.0}
    )
    rows = [tries[0].scores.variables.index(name) for name in variables]
    scores = np.array([one.scores.fair_crps()[rows] for one in tries])
    distance = np.abs(np.log([one.scores.ratios()[rows] for one in tries]))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(scores[uncalibrated] > 0, scores / scores[uncalibrated], np.nan)
    return choose(_mean_of_each(relative), _mean_of_each(distance), uncalibrated)


def choose_factors(scores: ValidationScores) -> dict[str, dict[int, float]]:
    """A factor for each variable of the Gaussian kind at each lead, the same for all of them.

    The line that is nearest, by least squares, to what they lack at each lead in the geometric
    mean. Nothing if that is to leave all as it is. That the dew point is brought down to the
    temperature afterwards is not counted.
    """
    names = [name for name in scores.variables if variable(name).gaussian]
    rows = [scores.variables.index(name) for name in names]
    lacking = np.exp(_known_mean(np.log(scores.lacking()[rows]), axis=0))
    leads = np.array(scores.leads)
    known = np.isfinite(lacking)
    if not known.any():
        return {}
    line = np.polynomial.Polynomial.fit(leads[known], lacking[known], min(1, known.sum() - 1))
    factors = line(leads).clip(*_FACTORS)
    if (np.abs(factors - 1) < _NO_FACTOR).all():
        return {}
    by_lead = {lead: round(float(f), 4) for lead, f in zip(scores.leads, factors, strict=True)}
    return {name: dict(by_lead) for name in names}


def choose(relative: np.ndarray, distance: np.ndarray, unchanged: int) -> int:
    """The place with the lowest score or, of those that score as well, with the least distance.

    `relative` are fair CRPS relative to the uncalibrated ones, `distance` is that of the
    spread-error ratio from 1, each of one choice; `unchanged` is taken where none is known.
    """
    known = np.isfinite(relative) & np.isfinite(distance)
    if not known.any():
        return unchanged
    lowest = relative[known].min()
    equal = known & (relative <= lowest + _TIE)
    return int(np.argmin(np.where(equal, distance, np.inf)))


def _mean_of_each(values: np.ndarray) -> np.ndarray:
    """Over what is known of each choice, (choice, ...) -> (choice,)."""
    return _known_mean(values.reshape(len(values), -1), axis=1)


def _known_mean(values: np.ndarray, axis: int) -> np.ndarray:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=axis) / known.sum(axis=axis)


def calibration_of(tries: Sequence[Try], groups: Groups) -> tuple[int, Calibration]:
    """The place of the try that is best over all variables, and what members are drawn with."""
    place = best_try(tries, tries[0].scores.variables)
    chosen = tries[place]
    return place, Calibration(
        each_variable(chosen.amplitudes, groups), choose_factors(chosen.scores)
    )


def write_calibration(
    path: Path,
    system: str,
    members: int,
    inits: Sequence[datetime],
    groups: Groups,
    tries: Sequence[Try],
) -> None:
    """Choose, and write the choice with all that was tried and what it scored."""
    place, chosen = calibration_of(tries, groups)
    content = {
        "system": system,
        "members": members,
        "cases": [f"{init:%Y-%m-%d %H} UTC" for init in inits],
        "rule": "lowest fair CRPS relative to the uncalibrated members; of those within "
        f"{_TIE:.1%} of it the one whose spread-error ratios are nearest to 1",
        "groups": {group: list(names) for group, names in groups.items()},
        "tries": [
            {"amplitudes": dict(one.amplitudes), "scores": _told(one.scores)} for one in tries
        ],
        "chosen": {
            "try": place,
            "amplitudes": chosen.amplitudes,
            "factors": chosen.factors,
        },
    }
    write_text(path, json.dumps(content, indent=2) + "\n")


def _told(scores: ValidationScores) -> dict[str, dict[int, dict[str, float | None]]]:
    """Fair CRPS and spread-error ratio by variable and lead."""

    def at(table: np.ndarray, *place: int) -> float | None:
        return round(float(table[place]), 5) if np.isfinite(table[place]) else None

    crps, ratios = scores.fair_crps(), scores.ratios()
    return {
        name: {
            lead: {"fair_crps": at(crps, i, j), "spread_error_ratio": at(ratios, i, j)}
            for j, lead in enumerate(scores.leads)
        }
        for i, name in enumerate(scores.variables)
    }


def read_calibration(path: Path | None) -> Calibration:
    """What was chosen; nothing is changed where there is no file.

    Raises StormdrawError if the file holds something else.
    """
    if path is None:
        return Calibration()
    try:
        chosen = json.loads(path.read_text())["chosen"]
        return Calibration(
            {name: float(amplitude) for name, amplitude in chosen["amplitudes"].items()},
            {
                name: {int(lead): float(factor) for lead, factor in leads.items()}
                for name, leads in chosen["factors"].items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StormdrawError(
            f"{path}: not a calibration that can be read; delete it to calibrate anew"
        ) from None
