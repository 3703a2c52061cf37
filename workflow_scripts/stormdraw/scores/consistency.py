"""Consistency bars: how far from the diagonal would a reliable forecast be, by chance?"""

import numpy as np
from scipy.special import stdtrit

from stormdraw.scores.sums import ratio

# Intervals of scores need as many. With five days whose points are alike, bars would hold 80 %, not
# 90 % (tests/unit/scores/test_scores_consistency.py).
FEWEST_DAYS = 8


def consistency_bars(
    weight: np.ndarray, event: np.ndarray, expected: np.ndarray, confidence: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    """The ends (bin,) between which the observed frequency of a reliable forecast falls so often.

    `weight`, `event` and `expected` are (day, bin): the weight of the points whose probability is
    in a bin, of those of them with the event, and the sum of weight times probability, which is the
    weight that a reliable forecast expects to have the event. Bars are around the mean probability
    of a bin, as those of Bröcker and Smith (2007, doi:10.1175/WAF993.1) are. They draw an outcome
    for each forecast independently. Neighbouring points share their weather, and with independent
    points the bars would be many times too short, so here days are independent, and points of a day
    are not. Of a reliable forecast the deviations `event - expected` of days have mean 0, and their
    squares tell how large they are. If they are Gaussian with standard deviations in proportion to
    the day's weight, the sum of n of them over the root of their sum of squares is

        sqrt(n) t / sqrt(n - 1 + t**2)    with Student's t of n - 1 degrees of freedom,

    where n is the effective number of days (sum v)**2 / sum v**2 of their variances v, since days
    with more forecasts of a probability count for more. NaN where fewer than FEWEST_DAYS have a
    forecast in the bin, or n is less than 2.
    """
    variances = weight**2
    days = ratio(variances.sum(axis=0) ** 2, (variances**2).sum(axis=0))
    enough = ((weight > 0.0).sum(axis=0) >= FEWEST_DAYS) & (days >= 2.0)
    days = np.where(enough, days, np.nan)
    t = stdtrit(days - 1.0, 0.5 + confidence / 2.0)
    share = np.sqrt(days) * t / np.sqrt(days - 1.0 + t**2)
    total = weight.sum(axis=0)
    reach = share * ratio(np.sqrt(((event - expected) ** 2).sum(axis=0)), total)
    mean = ratio(expected.sum(axis=0), total)
    return np.clip(mean - reach, 0.0, 1.0), np.clip(mean + reach, 0.0, 1.0)
