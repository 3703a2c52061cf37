"""What calibration should not spoil, of reflectivity in the storm world: written out plainly.

Members are (case, member, lead, y, x) and truth (case, lead, y, x), in dBZ; a score is one number
over all of it.
"""

import numpy as np


def fair_brier(members: np.ndarray, truth: np.ndarray, threshold: float) -> float:
    """The Brier score of reaching a threshold, without what the number of members costs.

    (p - o)^2 - p (1 - p) / (M - 1), p the share of M members and o 0 or 1 (Ferro 2014).
    """
    share = (members >= threshold).mean(axis=1)
    chance = share * (1 - share) / (members.shape[1] - 1)
    return float(((share - (truth >= threshold)) ** 2 - chance).mean())


def share_of_points(fields: np.ndarray, threshold: float) -> float:
    """That reach the threshold."""
    return float((fields >= threshold).mean())


def short_wave_variance(fields: np.ndarray, longest: float = 8.0) -> float:
    """Mean variance in waves of at most `longest` points, of periodic fields (..., y, x)."""
    rows, columns = fields.shape[-2:]
    power = np.abs(np.fft.fft2(fields)) ** 2 / (rows * columns) ** 2
    number = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None, :])
    return float(power[..., number >= 1 / longest].sum(axis=-1).mean())


def spread_error_ratio(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """By lead, as in Fortin et al. (2014)."""
    count = members.shape[1]
    variance = members.var(axis=1, ddof=1).mean(axis=(0, 2, 3))
    error = ((members.mean(axis=1) - truth) ** 2).mean(axis=(0, 2, 3))
    return np.sqrt((count + 1) / count * variance / error)


def multiplied(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Departures from the ensemble mean times what brings the ratio of each lead to 1, chosen on
    this truth, and no lower than the floor: what `calibrate` did before."""
    mean = members.mean(axis=1, keepdims=True)
    factor = 1 / spread_error_ratio(members, truth)
    return np.maximum(mean + factor[:, None, None] * (members - mean), members.min())
