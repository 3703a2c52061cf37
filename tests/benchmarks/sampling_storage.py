"""What 16 bits a value cost members: error, CRPS, bytes, and seconds of writing and reading.

python tests/benchmarks/sampling_storage.py error RUN CONFIG    at the demo's world
python tests/benchmarks/sampling_storage.py speed               at the full grid
"""

import json
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

import stormdraw  # noqa: F401  (before ecCodes; see its __init__)

import numpy as np  # isort: skip

from sampling_quality import WAYS, draw_states, fair_crps  # isort: skip
from timing import best_times  # isort: skip
from stormdraw.ensembles.files import Case, ensemble_file  # isort: skip
from stormdraw.fields.packing import packing_of  # isort: skip
from stormdraw.archive.base_models.hrrr import GRID as HRRR  # isort: skip
from stormdraw.scores.ensemble import open_ensemble, read_forecast  # isort: skip
from stormdraw.variables import DEFAULT_STATE, scored_variables, variable  # isort: skip

MEMBERS = 10


def measure_error(run: Path, config: Path) -> dict[str, Any]:
    """Of members of the default way at the first case, against the same members in float32."""
    default = next(way for way in WAYS if "default" in way.name)
    ((drawn, observed, *_),) = draw_states(run, config, default, MEMBERS, 1)
    packed = np.empty_like(drawn)
    for index, name in enumerate(DEFAULT_STATE):
        packing = packing_of(name)
        packed[:, index] = packing.unpack(packing.pack(drawn[:, index]))
    before, after = fair_crps(drawn, observed), fair_crps(packed, observed)
    largest = np.abs(packed.astype(np.float64) - drawn).max(axis=(0, 2, 3))
    return {
        name: {
            "largest": float(largest[index]),
            "half_step": variable(name).precision / 2,
            "crps": float(before[index]),
            "crps_change": float(after[index] / before[index] - 1),
        }
        for index, name in enumerate(DEFAULT_STATE)
    }


def measure_speed() -> dict[str, Any]:
    """Bytes of one member, and seconds of writing some and of reading one variable of them."""
    random = np.random.default_rng(0)
    state = np.stack(
        [
            random.uniform(
                max(variable(name).lower, -50), min(variable(name).upper, 320), HRRR.shape
            )
            for name in DEFAULT_STATE
        ]
    ).astype(np.float32)
    case = Case("benchmark", "diffusion", datetime(2026, 6, 8), (1,), DEFAULT_STATE)
    with tempfile.TemporaryDirectory() as folder:
        paths = {kind: Path(folder) / f"{kind}.nc" for kind in ("float32", "packed")}

        def write(kind: str) -> None:
            with ensemble_file(
                paths[kind], HRRR, case, range(MEMBERS), {}, packed=kind == "packed"
            ) as put:
                for member in range(MEMBERS):
                    put(member, 0, state)

        def read(kind: str) -> None:
            with open_ensemble(paths[kind]) as one:
                read_forecast(one, "T2M", 1)

        writing = best_times({kind: lambda kind=kind: write(kind) for kind in paths}, 2)
        reading = best_times({kind: lambda kind=kind: read(kind) for kind in paths}, 3)
        count = MEMBERS * len(scored_variables(list(DEFAULT_STATE)))
        # Latitudes and longitudes in float64, of which a file has one each however large it is.
        coordinates = 2 * 8 * HRRR.shape[0] * HRRR.shape[1]
        return {
            kind: {
                "bytes_a_member": (path.stat().st_size - coordinates) / MEMBERS,
                "write_field": writing[kind] / count,
                "read_field": reading[kind] / MEMBERS,
            }
            for kind, path in paths.items()
        }


if __name__ == "__main__":
    if sys.argv[1] == "error":
        print(json.dumps(measure_error(Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        print(json.dumps(measure_speed()))
