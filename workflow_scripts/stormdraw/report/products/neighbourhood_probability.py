"""The share of members with an event anywhere near a point, in per cent, one product a threshold.

This is the neighbourhood maximum ensemble probability (`scores.statistics`). GRIB2 has no key for
the neighbourhood, so that only the name of the file tells it from the probability at a point.
"""

import numpy as np

from stormdraw.report.products.probability import Probability
from stormdraw.scores.statistics.neighbourhood_maximum_probability import (
    members_in_neighbourhoods,
)
from stormdraw.scores.threshold import Limit


class NeighbourhoodProbability(Probability):
    """The share of members that reach a threshold in the box around a point.

    The box is as wide as the patches of local products, or a point wider, so that it has a centre.
    """

    label = "neighbourhood_probability"
    ending = "nmep"
    words = "share of members that have, anywhere in the neighbourhood,"

    def compute(self, members: np.ndarray, valid: np.ndarray, patch: int) -> np.ndarray:
        limit, width = Limit(self.threshold, self.threshold.number), patch // 2 * 2 + 1
        found = members_in_neighbourhoods(members, limit, valid, [width])
        return 100.0 * found[0] / len(members)


PRODUCT = NeighbourhoodProbability
