"""What each statistic takes at full grid, of this library and of an older one in turn.

    python tests/benchmarks/scores_statistics.py [COMMIT]

Each of T2M, REFC and WIND10 with the wind vector goes through the scores stage, 100 members on two
threads, and every statistic is timed by its name: seconds, and seconds of all processors together,
which do not depend on what else the machine does. With a COMMIT the library of then and the one of
now take turns, each in a process of its own, so that whatever else the machine does hits both; the
fastest round of each counts. A process compiles all loops on a small grid before it times anything.

    python tests/benchmarks/scores_statistics.py of LIBRARY

is one such process: it prints the seconds as JSON.
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from timing import hardware, table  # isort: skip

VARIABLES = ("T2M", "REFC", "WIND10")
MEMBERS = 100
THREADS = 2
SHAPE = (1059, 1799)
ROUNDS = 2
# Sorting, the CRPS kernel, counting members beyond thresholds: what statistics share.
SHARED = "shared by all of them"

_ROOT = Path(__file__).parents[2]


def weather(random: np.random.Generator, shape: tuple[int, int], waves: float) -> np.ndarray:
    """A smooth field of about so many waves across, mean 0 and variance 1, (y, x)."""
    rows, columns = (np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1]))
    scale = np.hypot(rows[:, None], columns[None, :]) * min(shape) / waves
    modes = np.fft.rfft2(random.standard_normal(shape)) / (1.0 + scale**2)
    modes[0, 0] = 0.0
    field = np.fft.irfft2(modes, s=shape)
    return (field / field.std()).astype(np.float32)


def ensemble(
    name: str, random: np.random.Generator, shape: tuple[int, int], members: int
) -> tuple[np.ndarray, np.ndarray]:
    """Members (member, y, x) and the truth (y, x), as files have them, to a packing step."""
    of_all, own = weather(random, shape, 8.0), weather(random, shape, 40.0)

    def member() -> np.ndarray:
        moved = np.roll(own, [int(random.integers(size)) for size in shape], (0, 1))
        noise = random.standard_normal(shape, dtype=np.float32)
        state = of_all + 0.5 * moved + 0.05 * noise
        if name == "REFC":
            # Four fifths at the floor, as on most days.
            return np.round(np.clip(20.0 * state - 27.0, -10.0, 75.0), 2)
        return np.round(290.0 + 8.0 * state if name == "T2M" else 5.0 * state, 3)

    drawn = np.empty((members, *shape), np.float32)
    for place in range(members):
        drawn[place] = member()
    return drawn, member()


Seconds = dict[str, tuple[float, float]]


class Times:
    """Seconds, and those of processors, by statistic, added up over threads."""

    def __init__(self) -> None:
        self.seconds: Seconds = {}
        self._lock = threading.Lock()

    def timed(self, name: str, made: Callable[..., Any] | None, in_threads: bool) -> Any:
        """`made`, whose seconds count, shared by threads where several call it at once."""
        if made is None:
            return None
        processor = time.thread_time if in_threads else time.process_time
        share = 1.0 / THREADS if in_threads else 1.0

        def call(given: Any) -> Any:
            start, own = time.perf_counter(), processor()
            found = made(given)
            taken = share * (time.perf_counter() - start), processor() - own
            with self._lock:
                before = self.seconds.get(name, (0.0, 0.0))
                self.seconds[name] = before[0] + taken[0], before[1] + taken[1]
            return found

        return call


def time_library(library: str) -> dict[str, Seconds]:
    """Seconds of each statistic by variable."""
    sys.path.insert(0, library)
    from stormdraw.scores import registry

    times = Times()
    scores = registry.scores()
    for name, score in list(scores.items()):
        of_threads = {"points": times.timed(name, score.points, True)}
        alone = {
            kind: times.timed(name, getattr(score, kind), False)
            for kind in ("fields", "event", "wind")
        }
        scores[name] = dataclasses.replace(score, **of_threads, **alone)
    for variable in VARIABLES:
        score_variable(variable, (60, 70), 12)
    found = {}
    for variable in VARIABLES:
        times.seconds = {}
        whole = score_variable(variable, SHAPE, MEMBERS)
        known = np.sum(list(times.seconds.values()), axis=0)
        shared, processor = np.maximum(np.subtract(whole, known), 0.0)
        found[variable] = times.seconds | {SHARED: (float(shared), float(processor))}
    return found


def now() -> np.ndarray:
    """Seconds, and those of processors."""
    return np.array([time.perf_counter(), time.process_time()])


def score_variable(name: str, shape: tuple[int, int], members: int) -> np.ndarray:
    """Seconds that a variable takes, and of processors; with the wind speed the vector's too."""
    from stormdraw.scores.block import Block, block_sums, wind_sums
    from stormdraw.scores.ensemble import Forecast
    from stormdraw.scores.settings import Scores
    from stormdraw.scores.verification import Wind

    random = np.random.default_rng(len(name))
    weights, points = np.ones((1, *shape)), np.ones(shape, bool)
    drawn, truth = ensemble(name, random, shape, members)
    if name == "WIND10":
        np.abs(drawn, out=drawn)
        np.abs(truth, out=truth)
    forecast = Forecast(name, drawn)
    options = (Scores(), 0, ("", name, 1), THREADS)
    block = Block(forecast, truth, weights, points, *options, **events(name, Block))
    start = now()
    block_sums(block)
    seconds = now() - start
    if name == "WIND10":
        del block, forecast, drawn
        (u, true_u), (v, true_v) = (ensemble("U10", random, shape, members) for _ in range(2))
        wind = Wind(
            Forecast("U10", u), Forecast("V10", v), true_u, true_v, weights, points, THREADS
        )
        start = now()
        wind_sums(wind)
        seconds += now() - start
    return seconds


def events(name: str, block: type) -> dict[str, Any]:
    """The events of a variable, which older libraries take from the settings themselves."""
    if "limits" not in {field.name for field in dataclasses.fields(block)}:
        return {}
    from stormdraw.scores.settings import Scores
    from stormdraw.scores.threshold import limits_of

    return {"limits": limits_of(Scores().fixed_thresholds(name), lambda percentile: np.empty(0))}


def fastest(libraries: dict[str, Path]) -> dict[str, dict[str, Seconds]]:
    """Seconds by library, variable and statistic, the least of rounds that take turns."""
    best: dict[str, dict[str, Seconds]] = {}
    for _ in range(ROUNDS):
        for name, library in libraries.items():
            compiled = Path(tempfile.gettempdir()) / f"stormdraw-compiled-{name}"
            threads = {"OMP_NUM_THREADS": "1", "NUMBA_CACHE_DIR": str(compiled)}
            command = [sys.executable, __file__, "of", str(library)]
            done = subprocess.run(
                command, check=True, capture_output=True, text=True, env=os.environ | threads
            )
            for variable, seconds in json.loads(done.stdout).items():
                known = best.setdefault(name, {}).setdefault(variable, seconds)
                for statistic, taken in seconds.items():
                    before = known.get(statistic, taken)
                    known[statistic] = (min(before[0], taken[0]), min(before[1], taken[1]))
    return best


def by_statistic(commit: str | None = None) -> str:
    """The table of seconds, of the commit and of now where one is given."""
    own = {"now": _ROOT / "workflow_scripts"}
    if commit is None:
        return _table(fastest(own))
    with tempfile.TemporaryDirectory(prefix="stormdraw-before-") as folder:
        git = ["git", "-C", str(_ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", "--quiet", folder, commit], check=True)
        try:
            return _table(fastest({commit: Path(folder) / "workflow_scripts", **own}))
        finally:
            subprocess.run([*git, "remove", "--force", folder], check=True)


def _table(best: dict[str, dict[str, Seconds]]) -> str:
    found = {name for of_one in best.values() for seconds in of_one.values() for name in seconds}
    columns = [best[name][variable] for variable in VARIABLES for name in best]

    def row(title: str, cells: list[tuple[float, float] | None]) -> list[str]:
        return [
            title,
            *("" if cell is None else f"{cell[0]:.2f} ({cell[1]:.2f})" for cell in cells),
        ]

    rows = [
        row(name, [c.get(name) for c in columns]) for name in [*sorted(found - {SHARED}), SHARED]
    ]
    sums = [tuple(np.sum(list(column.values()), axis=0)) for column in columns]
    headings = ["", *(f"{variable}, {name}" for variable in VARIABLES for name in best)]
    return (
        f"Seconds of each statistic, in brackets those of all processors together: {SHAPE[0]} x "
        f"{SHAPE[1]} points, {MEMBERS} members, {THREADS} threads, one variable at one lead, and "
        f"with WIND10 the wind vector; the least of {ROUNDS} rounds.\n\n"
        f"{table(headings, [*rows, row('all', sums)])}"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["of"]:
        print(json.dumps(time_library(sys.argv[2])))
    else:
        print(f"{hardware()}\n\n{by_statistic(*sys.argv[1:2])}")
