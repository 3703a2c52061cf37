"""How often intervals hold the true score, and how often equal systems seem to differ.

    python tests/comparisons/interval_coverage.py [output.md]

Each experiment draws what days contribute to a difference of two systems that is 0 in truth: normal
with day-to-day correlation, or lognormal of which a share is 0, as the scores of rain and storms
are. Its intervals and p-values are those of a run. Without an output only prints the table.
"""

import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

import numpy as np
from scipy.stats import false_discovery_control

from stormdraw.scores.intervals import Uncertainty, uncertainty

DAYS = (8, 15, 30, 90)
# A table of two systems: 8 variables at 3 leads.
COMPARISONS = 24


def normal(correlation: float) -> Callable[[np.random.Generator, int, int], np.ndarray]:
    """Days (day, experiment) of an AR(1) process with mean 0 and variance 1."""

    def draw(random: np.random.Generator, days: int, experiments: int) -> np.ndarray:
        values = random.standard_normal((days, experiments))
        for day in range(1, days):
            values[day] *= np.sqrt(1.0 - correlation**2)
            values[day] += correlation * values[day - 1]
        return values

    return draw


def lognormal(zeros: float) -> Callable[[np.random.Generator, int, int], np.ndarray]:
    """Independent days (day, experiment), lognormal but for a share of zeros, minus their mean."""

    def draw(random: np.random.Generator, days: int, experiments: int) -> np.ndarray:
        values = np.exp(random.standard_normal((days, experiments)))
        values *= random.random((days, experiments)) >= zeros
        return values - (1.0 - zeros) * np.exp(0.5)

    return draw


PROCESSES = {
    "normal, correlation 0": normal(0.0),
    "normal, 0.3": normal(0.3),
    "normal, 0.5": normal(0.5),
    "lognormal, half zeros": lognormal(0.5),
    "lognormal, 80 % zeros": lognormal(0.8),
}


def drawn(process: str, days: int, experiments: int) -> Uncertainty:
    """How sure the means of so many experiments are, one in the place of each lead."""
    values = PROCESSES[process](np.random.default_rng([days, len(process)]), days, experiments)
    total = values.sum(axis=0)
    scores = np.concatenate([total[None] / days, (total - values) / (days - 1), values])
    return uncertainty(scores, np.ones(values.shape, bool), 2000, 0)


def coverage(sure: Uncertainty) -> float:
    """The share of the 95 % intervals that hold the true score, 0."""
    low, high = sure.interval(0.95)
    return float(((low <= 0.0) & (high >= 0.0)).mean())


def false_alarms(sure: Uncertainty) -> float:
    """The share of tables of 24 comparisons of equal systems with any verdict but "undecided"."""
    tables = sure.p_value().reshape(-1, COMPARISONS)
    return float(np.mean([(false_discovery_control(t, method="by") < 0.05).any() for t in tables]))


def report() -> str:
    experiments = 4080  # 170 tables of 24
    intervals, alarms = [], []
    for days in DAYS:
        found = [drawn(process, days, experiments) for process in PROCESSES]
        intervals.append([days, *(f"{100 * coverage(sure):.0f}" for sure in found)])
        alarms.append([days, *(f"{100 * false_alarms(sure):.0f}" for sure in found)])
    head = ["days", *PROCESSES]
    now = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}"
    return f"""# How often intervals hold

Written by `make compare-intervals`: {experiments} experiments for each cell, in which two systems
are equal in truth. What each day contributes to the difference of their scores is normal, with a
correlation from a day to the next, or lognormal with a share of zeros, as differences of rain and
storms are. `stormdraw/scores/intervals.py` says how an interval is made. Percentiles of resampled
days, which stood here before, held in 72 to 74 % of 2,000 experiments with correlation 0.5, and in
78 to 91 % of those with half zeros.

Intervals of 95 % that hold the true difference, in per cent:

{_table([head, *intervals])}

Tables of 8 variables and 3 leads with a verdict "better" or "worse", in per cent; the comparisons
of a table are independent, which those of real variables and leads are not:

{_table([head, *alarms])}

With fewer than 15 days of skewed differences nothing can be known of the tail that was not drawn:
take verdicts and intervals of so few days as hints.

{now}.
"""


def _table(rows: list[list]) -> str:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


if __name__ == "__main__":
    text = report()
    print(text)
    for path in sys.argv[1:2]:
        Path(path).write_text(text, encoding="utf-8")
