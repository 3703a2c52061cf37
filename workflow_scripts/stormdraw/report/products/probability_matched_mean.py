"""The probability-matched mean: the mean's pattern with the values that members have."""

import numpy as np

from stormdraw.report.product import Product
from stormdraw.scores.statistics.probability_matched_mean import probability_matched_mean


class MatchedMean(Product):
    """The probability-matched mean over the domain (NCEP's generating process 193)."""

    label = "pmm"
    ending = "pmmn"
    words = "probability-matched mean"
    generating_process = 193
    inventory_ending = "ens mean:process=193"

    def compute(self, members: np.ndarray, valid: np.ndarray, patch: int) -> np.ndarray:
        flat = members.reshape(len(members), -1)
        return probability_matched_mean(flat, valid.ravel()).reshape(valid.shape)


PRODUCT = MatchedMean
