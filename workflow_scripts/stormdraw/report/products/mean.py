"""The mean of all members."""

import numpy as np

from stormdraw.report.product import Product


class Mean(Product):
    """The mean of all members."""

    label = "mean"
    ending = "mean"
    words = "ensemble mean"
    cell_method = "realization: mean"
    inventory_ending = "ens mean"

    def compute(self, members: np.ndarray, valid: np.ndarray, patch: int) -> np.ndarray:
        return np.asarray(members.mean(axis=0, dtype=np.float64))


PRODUCT = Mean
