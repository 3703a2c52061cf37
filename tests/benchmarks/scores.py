"""Time of all ensemble scores of one variable and lead, beside one sort and other libraries.

    python tests/benchmarks/scores.py [points] [members]

Each line is the best of several runs on one thread, after a run that is not counted, so that no
compilation is timed. The libraries compute one CRPS for each point; ours is the whole pass of the
scores stage: both CRPS, the Gaussian CRPS, mean, variance and ranks. `difference` is the largest
one from our CRPS of the same kind.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

# One thread for everybody; read when the libraries are loaded.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

import numpy as np
import properscoring
import scoringrules
import xarray as xr
import xskillscore

from stormdraw.scores.pointwise import score_members
from stormdraw.scores.ranks import ranks

RUNS = 7


def best_time(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs."""
    work()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main(points: int = 200_000, count: int = 100) -> None:
    random = np.random.default_rng(0)
    members = random.normal(290.0, 2.0, (count, points)).astype(np.float32)
    truth = random.normal(290.0, 2.0, points).astype(np.float32)
    by_point = np.ascontiguousarray(members.T)
    forecast = xr.DataArray(members, dims=("member", "point"))
    observed = xr.DataArray(truth, dims="point")
    scores = score_members(members, truth)

    def our_pass() -> None:
        found = score_members(members, truth)
        ranks(found.below, found.equal, np.random.default_rng(0))

    def of_scoringrules(estimator: str) -> Callable[[], np.ndarray]:
        return lambda: scoringrules.crps_ensemble(
            truth, members, m_axis=0, estimator=estimator, backend="numba"
        )

    work: dict[str, tuple[Callable, np.ndarray | None]] = {
        "all of our scores, one pass": (our_pass, None),
        "one sort, (member, point)": (lambda: np.sort(members, axis=0), None),
        "one sort, (point, member)": (lambda: np.sort(by_point, axis=1), None),
        "properscoring with numba": (
            lambda: properscoring.crps_ensemble(truth, members, axis=0),
            scores.crps_standard,
        ),
        "xskillscore": (
            lambda: xskillscore.crps_ensemble(observed, forecast, dim=[]).values,
            scores.crps_standard,
        ),
        "scoringrules pwm (is fair)": (of_scoringrules("pwm"), scores.crps_fair),
        "scoringrules qd (default)": (of_scoringrules("qd"), scores.crps_standard),
    }
    ours = best_time(our_pass)
    print(f"{points} points x {count} members, float32, one thread, best of {RUNS}")
    print(f"{'':30}{'seconds':>9}{'ours / it':>11}{'difference':>12}")
    for name, (action, own) in work.items():
        seconds = best_time(action)
        difference = "" if own is None else f"{np.abs(action() - own).max():.1e}"
        print(f"{name:30}{seconds:>9.3f}{ours / seconds:>11.2f}{difference:>12}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
