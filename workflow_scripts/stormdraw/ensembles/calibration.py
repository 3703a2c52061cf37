"""Calibration chooses how much noise a model's members are drawn with, on validation cases.

More noise displaces a storm farther where members are displaced too little; multiplying its anomaly
would make it a stronger storm instead. Calibration therefore chooses the amplitude of the noise,
one number for a group of variables at all leads.

The best amplitude has the lowest fair CRPS on the validation cases. Amplitudes within half a
percent of it count as equal; among these, the one with spread-error ratios nearest to 1 is chosen.
The fair CRPS of each variable and lead is relative to that of the uncalibrated members, so that
units do not matter. Ratios are compared by their logarithm, so that half and twice are equally far
from 1.

Gaussian variables (no floor, no transform: temperature, dew point, wind) may still have the wrong
spread. It is multiplied by one factor for all of them, which follows a straight line over leads.
The fair CRPS cannot choose this factor: members that are moved away from their own mean are no
longer independent, and it would choose too large a factor (1.8 where 1.67 is right, for eight
members).
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

# A relative difference of the fair CRPS that a handful of cases cannot tell from zero.
_TIE = 0.005
# The smallest and the largest factor on the spread.
_FACTORS = (0.5, 2.0)
# Factors this close to 1 are not applied.
_NO_FACTOR = 0.02

# score(multiple of the noise's amplitude by variable) -> scores of validation cases drawn with it
Score = Callable[[Mapping[str, float]], ValidationScores]

# A factor on departures from the mean, by variable and lead in hours.
Factors = Mapping[str, Mapping[int, float]]


@dataclass(frozen=True)
class Calibration:
    """Multiples of the noise's amplitude by variable, and factors on departures from the mean.

    A variable that is not named stays unchanged.
    """

    amplitudes: Mapping[str, float] = field(default_factory=dict)
    factors: Factors = field(default_factory=dict)


@dataclass(frozen=True)
class Try:
    """Multiples of the amplitude by group, and the scores of the validation cases with them."""

    amplitudes: Mapping[str, float]
    scores: ValidationScores


def try_amplitudes(amplitudes: Sequence[float], groups: Groups, score: Score) -> list[Try]:
    """Try each amplitude for all groups, and then, if groups prefer different ones, those together.

    `amplitudes` must contain 1.
    """

    def tried(by_group: Mapping[str, float]) -> Try:
        return Try(by_group, score(each_variable(by_group, groups)))

    tries = [tried(dict.fromkeys(groups, amplitude)) for amplitude in amplitudes]
    preferred = {name: amplitudes[best_try(tries, of)] for name, of in groups.items()}
    if len(set(preferred.values())) > 1:
        tries.append(tried(preferred))
    return tries


def best_try(tries: Sequence[Try], variables: Sequence[str]) -> int:
    """The index of the best try for these variables; the uncalibrated one if nothing is known."""
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
    """The spread factor of each Gaussian variable at each lead, the same for all of them.

    Factors lie on the least-squares line through the geometric means, over variables, of the
    factors that would be right at each lead. If all are close to 1, there are none. Later, dew
    points above the temperature are lowered to it; this is ignored here.
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
    """The index of the lowest score or, among scores as good as that, of the smallest distance.

    `relative` is the fair CRPS of each choice relative to that of the uncalibrated members, and
    `distance` that of its spread-error ratio from 1. `unchanged` is returned if no choice has both.
    """
    known = np.isfinite(relative) & np.isfinite(distance)
    if not known.any():
        return unchanged
    lowest = relative[known].min()
    equal = known & (relative <= lowest + _TIE)
    return int(np.argmin(np.where(equal, distance, np.inf)))


def _mean_of_each(values: np.ndarray) -> np.ndarray:
    """The mean of the finite values of each choice, (choice, ...) -> (choice,)."""
    return _known_mean(values.reshape(len(values), -1), axis=1)


def _known_mean(values: np.ndarray, axis: int) -> np.ndarray:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=axis) / known.sum(axis=axis)


def calibration_of(tries: Sequence[Try], groups: Groups) -> tuple[int, Calibration]:
    """The index of the best try over all variables, and the calibration it gives."""
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
    """Choose a calibration, and write it with everything that was tried and its scores."""
    place, chosen = calibration_of(tries, groups)
    content = {
        "system": system,
        "members": members,
        "cases": [f"{init:%Y-%m-%d %H} UTC" for init in inits],
        "rule": "lowest fair CRPS relative to the uncalibrated members; among those within "
        f"{_TIE:.1%} of it, the one with spread-error ratios nearest to 1",
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
    """The calibration that was chosen; without a file, one that changes nothing.

    Raises StormdrawError if the file is not a calibration.
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
