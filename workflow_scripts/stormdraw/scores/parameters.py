"""The parameters of metrics, which are columns of the tables of scores."""

import numpy as np

# The thresholds of the variable, the widths of neighbourhoods, and the probabilities at or above
# which a warning is issued. Each with its entry where a metric has none.
PARAMETERS: dict[str, str | float] = {"threshold": "", "width": np.nan, "probability": np.nan}
