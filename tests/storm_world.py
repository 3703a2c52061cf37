"""A toy world of displaced storms, in which the right calibration is known.

Each case has storms of Gaussian shape in reflectivity, and a smooth temperature. At every lead each
storm has been displaced from its known track by a random vector that grows with the lead, its
strength is uncertain, and new storms have come up. The truth is one draw, and each member another:
they are of the same distribution where the noise of the members is 1. Where it is smaller, say 0.8,
the members have too little spread, and 1 / 0.8 times that noise makes them right again.

The world is as wide as it is high and has no edges: what leaves on one side comes in on the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# dBZ: what is seen where there is no echo, and the level that the flanks of storms fall to.
FLOOR = -10.0
_FLANK = -12.0


@dataclass(frozen=True)
class StormWorld:
    """Fields by the name of their variable: REFC in dBZ and T2M in K.

    `members` are (case, member, lead, y, x), `truth` (case, lead, y, x), both in single precision;
    `leads` are in hours.
    """

    leads: tuple[int, ...]
    members: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]


@dataclass(frozen=True)
class Nature:
    """What the world is like. Lengths are in points, rates an hour.

    `displacement` and `warming` are standard deviations at a lead of one hour, of each coordinate
    of a storm and of the temperature in K; the first grows in proportion to the lead, the second
    with its square root. `strength` is that of the logarithm of a storm's peak above the flank.
    """

    storms: int = 6
    births: float = 0.5
    peak: float = 55.0
    strength: float = 0.15
    width: tuple[float, float] = (2.0, 3.5)
    displacement: float = 1.5
    warming: float = 1.0


NATURE = Nature()
# Storms differ by where they are more than by how strong they are. Members that agree too much
# about the place then look as if their anomalies were too small, which they are not.
STRAYING = Nature(births=0.2, peak=50.0, strength=0.1, displacement=3.0)


def storm_world(
    seed: int = 0,
    cases: int = 8,
    members: int = 10,
    leads: Sequence[int] = (1, 2, 3),
    size: int = 48,
    displacement_noise: float = 1.0,
    temperature_noise: float = 1.0,
    nature: Nature = NATURE,
) -> StormWorld:
    """A world of so many cases on size x size points.

    The displacements of the members are `displacement_noise` times as large as those of the truth,
    their temperature departs `temperature_noise` times as far from what is known. The truth depends
    on neither, nor on how many members there are; a member's random numbers are the same for any
    noise.
    """
    names = ("REFC", "T2M")
    truth = {name: np.empty((cases, len(leads), size, size), np.float32) for name in names}
    drawn = {name: np.empty((cases, members, len(leads), size, size), np.float32) for name in names}
    for case in range(cases):
        known = _Known(np.random.default_rng([seed, case]), size, nature)
        fields = known.draw(np.random.default_rng([seed, case, 0]), leads, 1.0, 1.0)
        for name in names:
            truth[name][case] = fields[name]
        for member in range(members):
            random = np.random.default_rng([seed, case, 1 + member])
            fields = known.draw(random, leads, displacement_noise, temperature_noise)
            for name in names:
                drawn[name][case, member] = fields[name]
    return StormWorld(tuple(leads), drawn, truth)


class _Known:
    """What is known of a case at its initial time: storms with their velocity, and temperature."""

    def __init__(self, random: np.random.Generator, size: int, nature: Nature) -> None:
        self.size, self.nature = size, nature
        self.places = random.uniform(0, size, (nature.storms, 2))
        self.velocity = random.normal(0, 2, 2)
        self.widths = random.uniform(*nature.width, nature.storms)
        self.temperature = 290 + 4 * _waves(random, size)

    def draw(
        self,
        random: np.random.Generator,
        leads: Sequence[int],
        displacement_noise: float,
        temperature_noise: float,
    ) -> dict[str, np.ndarray]:
        """What may come of it, (lead, y, x) of each variable."""
        nature, last = self.nature, max(leads)
        astray = nature.displacement * displacement_noise * random.normal(0, 1, (nature.storms, 2))
        warmer = nature.warming * temperature_noise * _waves(random, self.size)
        born = random.poisson(nature.births * last)
        hour_of_birth = np.concatenate([np.zeros(nature.storms), random.uniform(0, last, born)])
        places = np.concatenate([self.places, random.uniform(0, self.size, (born, 2))])
        velocities = self.velocity + np.concatenate([astray, np.zeros((born, 2))])
        widths = np.concatenate([self.widths, random.uniform(*nature.width, born)])
        peaks = (nature.peak - _FLANK) * np.exp(nature.strength * random.normal(size=len(widths)))
        fields: dict[str, list[np.ndarray]] = {"REFC": [], "T2M": []}
        for lead in leads:
            echo = np.full((self.size, self.size), FLOOR)
            there = np.flatnonzero(hour_of_birth <= lead)
            for k in there:
                x, y = places[k] + lead * velocities[k]
                storm = np.outer(self._bell(y, widths[k]), self._bell(x, widths[k]))
                echo = np.maximum(echo, _FLANK + peaks[k] * storm)
            fields["REFC"].append(echo)
            fields["T2M"].append(self.temperature + np.sqrt(lead) * warmer)
        return {name: np.array(each) for name, each in fields.items()}

    def _bell(self, centre: float, width: float) -> np.ndarray:
        """A Gaussian about a place on the circle of points."""
        away = (np.arange(self.size) - centre + self.size / 2) % self.size - self.size / 2
        return np.exp(-0.5 * (away / width) ** 2)


def _waves(random: np.random.Generator, size: int) -> np.ndarray:
    """A smooth random field (y, x) of mean 0 and variance 1 at every point: waves of random phase
    and amplitude, the longest ones."""
    angle = 2 * np.pi * np.arange(size) / size
    numbers = [(k, m) for k in range(4) for m in range(-3, 4) if (k, m) > (0, 0)]
    field = np.zeros((size, size))
    for k, m in numbers:
        phase = k * angle[:, None] + m * angle[None, :]
        cosine, sine = random.normal(size=2)
        field += cosine * np.cos(phase) + sine * np.sin(phase)
    return field / np.sqrt(len(numbers))
