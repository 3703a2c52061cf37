"""Ensemble scores beside one sort of the same values and other libraries.

    python tests/benchmarks/scores.py [page to write]

The libraries compute one CRPS for each point; ours is the whole pass of the scores stage: both
CRPS, the Gaussian CRPS, mean, variance, ranks and the sums for the decomposition. Each row is the
best of several rounds; a round runs everything once, so that whatever else the machine does hits
all alike, and the first is not counted, so that no compilation is timed. Then one case of the whole
grid goes through the stage as a job does, in processes of their own: the first makes the files and
compiles the loops, the second counts.
"""

import os
import subprocess
import sys
import tempfile
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

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.scores.block import Block, point_sums
from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.settings import Scores
from stormdraw.scores.verification import Points

from timing import best_times, hardware, table  # isort: skip

ROUNDS = 7
POINTS = 200_000
MEMBERS = 100

_OPENING = """# What the scores stage costs

Written by `make benchmark-scores`. Ratios are of one run; seconds depend on the machine and on what
else it does.

"""


def main(page: str | None = None) -> None:
    text = f"{_OPENING}{hardware()}\n\n## One variable and lead\n\n{one_pass()}"
    print(text, flush=True)
    case = whole_case()
    print(case, flush=True)
    if page:
        Path(page).write_text(f"{text}\n## A case of the whole grid\n\n{case}", encoding="utf-8")


def one_pass() -> str:
    """The table of our pass, one sort, and the libraries."""
    random = np.random.default_rng(0)
    members = random.normal(290.0, 2.0, (MEMBERS, POINTS)).astype(np.float32)
    truth = random.normal(290.0, 2.0, POINTS).astype(np.float32)
    by_point = np.ascontiguousarray(members.T)
    forecast = xr.DataArray(members, dims=("member", "point"))
    observed = xr.DataArray(truth, dims="point")
    weights = np.ones((1, 1, POINTS))
    scores = Scores(thresholds={}, maps=False)

    def our_pass(threads: int) -> Callable[[], object]:
        forecast = Forecast("T2M", members[:, None])
        block = Block(forecast, truth[None], weights, None, scores, 0, ("", "T2M", 1), threads)
        return lambda: point_sums(block, block.members())

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
    seconds = best_times(work, ROUNDS)
    points = Points.of_members(members, truth, weights[0])
    one, two = list(seconds.values())[:2]
    rows = []
    for name, taken in seconds.items():
        difference = ""
        if name in libraries:
            own = points.crps_fair if "pwm" in name else points.crps_standard
            difference = f"{np.abs(libraries[name]() - own).max():.0e}"
        rows.append([name, f"{taken:.3f}", f"{one / taken:.2f}", f"{two / taken:.2f}", difference])
    headings = ["", "seconds", "ours / it", "ours on two threads / it", "largest difference"]
    return (
        f"{POINTS} points x {MEMBERS} members, float32, best of {ROUNDS} rounds; everybody else on "
        f"one thread. The limit is 1.5 of one sort, on two cores.\n\n{table(headings, rows)}"
    )


def whole_case() -> str:
    """What scoring one case of the whole grid takes, everything included."""
    script = Path(__file__).with_name("scores_case.py")
    with tempfile.TemporaryDirectory(prefix="stormdraw-scores-") as folder:
        command = [sys.executable, str(script), folder, str(MEMBERS)]
        for _ in range(2):
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds, beyond, block = map(float, done.stdout.split())
    return (
        f"{HRRR.shape[0]} x {HRRR.shape[1]} points, {MEMBERS} members, seven variables and the "
        f"wind speed at one lead, two threads, with everything that is scored by default (events, "
        f"fractions skill, energy and variogram scores, spectra, maps): {seconds:.0f} s, and at "
        f"most {beyond:.2f} GB beyond a process that has the library loaded, of which one "
        f"variable's members are {block:.2f} GB. The limit is 2 GB beyond these.\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
