"""Time of all ensemble scores of one variable and lead, beside one sort and other libraries.

    python tests/benchmarks/scores.py [points] [members]

The libraries compute one CRPS for each point; ours is the whole pass of the scores stage: both
CRPS, the Gaussian CRPS, mean, variance, ranks and the sums for the decomposition. Each line is the
best of several rounds; a round runs everything once, so that whatever else the machine does hits
all alike, and the first is not counted, so that no compilation is timed. `ours / it` is of one
thread on either side; `with 2` sets our pass on two threads against their one. `difference` is the
largest one from our CRPS of the same kind. At the end, the largest memory of the process beyond
the members while the full grid is scored.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# One thread for everybody; read when the libraries are loaded.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / "stormdraw-compiled"))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

import numpy as np
import properscoring
import scoringrules
import xarray as xr
import xskillscore

from stormdraw.grids import HRRR
from stormdraw.scores.pointwise import score_members
from stormdraw.scores.ranks import ranks

ROUNDS = 7


def best_times(work: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of the fastest of several rounds of each."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS + 1):
        for name, action in work.items():
            start = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - start)
    return {name: min(of_one[1:]) for name, of_one in seconds.items()}


def main(points: int = 200_000, count: int = 100) -> None:
    random = np.random.default_rng(0)
    members = random.normal(290.0, 2.0, (count, points)).astype(np.float32)
    truth = random.normal(290.0, 2.0, points).astype(np.float32)
    by_point = np.ascontiguousarray(members.T)
    forecast = xr.DataArray(members, dims=("member", "point"))
    observed = xr.DataArray(truth, dims="point")
    weights = np.ones((1, points))

    def our_pass(threads: int) -> Callable[[], object]:
        def score() -> object:
            found = score_members(members, truth, weights=weights, threads=threads)
            return ranks(found.below, found.equal, np.random.default_rng(0))

        return score

    def of_scoringrules(estimator: str) -> Callable[[], np.ndarray]:
        return lambda: scoringrules.crps_ensemble(
            truth, members, m_axis=0, estimator=estimator, backend="numba"
        )

    libraries: dict[str, Callable[[], np.ndarray]] = {
        "properscoring with numba": lambda: properscoring.crps_ensemble(truth, members, axis=0),
        "xskillscore": lambda: xskillscore.crps_ensemble(observed, forecast, dim=[]).values,
        "scoringrules pwm (is fair)": of_scoringrules("pwm"),
        "scoringrules qd (default)": of_scoringrules("qd"),
    }
    work: dict[str, Callable[[], object]] = {
        "all of our scores, one thread": our_pass(1),
        "all of our scores, two threads": our_pass(2),
        "one sort, (member, point)": lambda: np.sort(members, axis=0),
        "one sort, (point, member)": lambda: np.sort(by_point, axis=1),
        **libraries,
    }
    seconds = best_times(work)
    scores = score_members(members, truth)
    one, two = list(seconds.values())[:2]
    print(f"{points} points x {count} members, float32, best of {ROUNDS} rounds")
    print(f"{'':32}{'seconds':>9}{'ours / it':>11}{'with 2':>8}{'difference':>12}")
    for name, taken in seconds.items():
        difference = ""
        if name in libraries:
            own = scores.crps_fair if "pwm" in name else scores.crps_standard
            difference = f"{np.abs(libraries[name]() - own).max():.1e}"
        print(f"{name:32}{taken:>9.3f}{one / taken:>11.2f}{two / taken:>8.2f}{difference:>12}")
    memory(count)


def memory(count: int) -> None:
    """Print what scoring one variable of the full grid takes beside its members."""
    points = HRRR.shape[0] * HRRR.shape[1]
    members = np.zeros((count, points), np.float32)
    members += np.arange(count, dtype=np.float32)[:, None]
    truth, weights = np.zeros(points, np.float32), np.ones((1, points))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    score_members(members, truth, weights=weights, threads=2)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"full grid, {points} points: {seconds:.1f} s on two threads, at most "
        f"{(after - before) / 1e6:.2f} GB beyond the members' {members.nbytes / 1e9:.2f} GB"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
