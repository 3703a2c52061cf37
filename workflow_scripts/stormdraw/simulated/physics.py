"""The constants of the world's physics, and its formulas at a point."""

from dataclasses import dataclass

import numpy as np

# Below this, both CAPE and CIN are exactly zero.
_LEAST_CAPE = 10.0


@dataclass(frozen=True)
class Physics:
    """Constants in which the truth and the forecast models may differ.

    Temperatures in K. `heating` is the warming of 2 m air per unit of ground heat, `lapse_rate` the
    cooling in K/m above `altitude` in m. `mixing` is the share of the steering wind at 10 m at
    night, `daytime_mixing` the addition per unit of ground heat; `roughness` multiplies the local
    wind. `birth_rate` is the largest rate of births, per km^2 and hour; `core` the reflectivity in
    dBZ of a mature core in moderate CAPE; `downdraft` the cooling under a mature core in K/h.
    """

    temperature: float = 295.8
    heating: float = 15.5
    mean_heat: float = 0.35
    lapse_rate: float = 0.0055
    altitude: float = 480.0
    dewpoint: float = 287.6
    mixing: float = 0.25
    daytime_mixing: float = 0.35
    roughness: float = 1.0
    birth_rate: float = 4e-4
    core: float = 46.0
    downdraft: float = 5.0


# The physics of the truth.
TRUTH = Physics()


def smoothly_positive(values: np.ndarray, width: float) -> np.ndarray:
    """(x + sqrt(x^2 + width^2)) / 2: close to x if it is large, to 0 if it is very negative."""
    return 0.5 * (values + np.sqrt(values * values + width * width))


def dewpoint_below(temperature: np.ndarray, dewpoint: np.ndarray) -> np.ndarray:
    """The dew point, kept below the temperature: the depression is made positive over 0.5 K."""
    return temperature - smoothly_positive(temperature - dewpoint, 0.5)


def cape_of(temperature: np.ndarray, dewpoint: np.ndarray, inhibition: np.ndarray) -> np.ndarray:
    """CAPE in J/kg from temperature and moisture at 2 m, reduced by a warm lid (`inhibition`).

    5000 tanh(280 b / 5000) with b = 0.9 (T - 294) + 1.1 (D - 287.5) - 1.5 lid, and exactly zero
    where that is less than 10 J/kg.
    """
    buoyancy = 0.9 * (temperature - 294.0) + 1.1 * (dewpoint - 287.5) - 1.5 * inhibition
    cape = 5000.0 * np.tanh(280.0 / 5000.0 * np.maximum(buoyancy, 0.0))
    return np.where(cape < _LEAST_CAPE, 0.0, cape)


def cin_of(temperature: np.ndarray, inhibition: np.ndarray, cape: np.ndarray) -> np.ndarray:
    """CIN in J/kg, not positive: from a lid that warmth at 2 m breaks; zero without CAPE.

    -55 times the positive part of n = 1.2 + lid - 0.33 (T - 296), less where CAPE is small.
    """
    lid = 1.2 + inhibition - 0.33 * (temperature - 296.0)
    strength = 55.0 * smoothly_positive(lid, 1.0)
    return np.where(cape > 0.0, -np.minimum(strength * cape / (cape + 60.0), 300.0), 0.0)


def birth_rate(
    cape: np.ndarray, cin: np.ndarray, convergence: np.ndarray, heat: np.ndarray
) -> np.ndarray:
    """Births as a share of the largest rate, 0 to 1.

    It grows with CAPE, with a broken lid, with convergence of the 10 m wind (`convergence` in 1/s:
    along gust fronts), and by day.
    """
    unstable = (cape / 2500.0) ** 1.2 * np.exp(cin / 50.0)
    lifted = 0.08 + 0.92 * np.clip(convergence / 3e-4, 0.0, 1.0)
    by_day = 0.35 + 0.65 * np.clip(heat / 0.6, 0.0, 1.0)
    return np.minimum(unstable * lifted * by_day, 1.0)
