"""The standard deviation of members, from their mean, with ddof 1."""

import numpy as np

from stormdraw.report.product import Product


class Spread(Product):
    """The standard deviation of members (code table 4.7: spread of all members)."""

    label = "spread"
    ending = "sprd"
    words = "ensemble spread"
    derived_forecast = 4
    cell_method = "realization: standard_deviation"
    same_quantity = False
    inventory_ending = "ens spread"

    def compute(self, members: np.ndarray, valid: np.ndarray, patch: int) -> np.ndarray:
        """In double precision, without a double-precision copy of members; 0 of a single one."""
        mean = members.mean(axis=0, dtype=np.float64)
        squares = np.zeros(mean.shape)
        for member in members:
            squares += (member - mean) ** 2
        return np.sqrt(squares / max(len(members) - 1, 1))


PRODUCT = Spread
