"""One case of the whole HRRR grid through the scores stage: seconds and memory.

    python tests/benchmarks/scores_case.py FOLDER MEMBERS

Prints one line: seconds to score a file of seven variables and the wind speed at one lead on two
threads, gigabytes at the most beyond what a process that has only imported the library takes, and
gigabytes of one variable's members. The file is made in FOLDER if it is not there.
"""

import resource
import sys
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

import numpy as np
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.scores.case import score_case
from stormdraw.scores.settings import Scores
from stormdraw.variables import DEFAULT_STATE, variable

INIT = datetime(2026, 6, 8, 6)
VALID = datetime(2026, 6, 8, 7)


def state(random: np.random.Generator) -> np.ndarray:
    """Something within the bounds of each variable, (variable, y, x)."""
    fields = np.empty((len(DEFAULT_STATE), *HRRR.shape), np.float32)
    random.standard_normal(dtype=np.float32, out=fields)
    for field, name in zip(fields, DEFAULT_STATE, strict=True):
        row = variable(name)
        low, high = max(row.lower, -100.0), min(row.upper, 320.0)
        field *= (high - low) / 10.0
        field += (high + low) / 2.0
        np.clip(field, row.lower, row.upper, out=field)
    return fields


def make(folder: Path, members: int) -> tuple[Path, Path]:
    """The ensemble's file and that of the truth."""
    ensemble, truth = folder / f"members{members}.nc", folder / "truth.nc"
    random = np.random.default_rng(0)
    if not truth.exists():
        dataset = xr.Dataset(
            {
                name: (("time", "y", "x"), field[None])
                for name, field in zip(DEFAULT_STATE, state(random), strict=True)
            },
            coords={"time": np.array([VALID], "datetime64[ns]"), **HRRR.coordinates()},
        )
        dataset.to_netcdf(truth, engine="netcdf4")
    if not ensemble.exists():
        case = Case("trial", "diffusion", INIT, [1], list(DEFAULT_STATE))
        with ensemble_file(ensemble, HRRR, case, range(members), {}) as put:
            for member in range(members):
                put(member, 0, state(random))
    return ensemble, truth


def main(folder: Path, members: int) -> None:
    ensemble, truth = make(folder, members)
    output = folder / "statistics.nc"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    score_case(ensemble, [truth], output, 0, Scores(), threads=2)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    block = 4e-9 * members * HRRR.shape[0] * HRRR.shape[1]
    print(f"{seconds:.1f} {(after - before) / 1e6:.2f} {block:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
