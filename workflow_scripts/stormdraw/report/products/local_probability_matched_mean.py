"""The local probability-matched mean, matched patch by patch."""

import numpy as np

from stormdraw.report.product import Product
from stormdraw.scores.statistics.local_probability_matched_mean import (
    local_probability_matched_mean,
)


class LocalMatchedMean(Product):
    """The local probability-matched mean (NCEP's generating process 200)."""

    label = "lpmm"
    ending = "lpmm"
    words = "local probability-matched mean"
    generating_process = 200
    inventory_ending = "ens mean:process=200"

    def compute(self, members: np.ndarray, valid: np.ndarray, patch: int) -> np.ndarray:
        return local_probability_matched_mean(members, valid, patch)


PRODUCT = LocalMatchedMean
