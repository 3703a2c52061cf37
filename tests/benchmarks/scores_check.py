"""The second opinion on one case of the whole HRRR grid: seconds and memory.

    python tests/benchmarks/scores_check.py FOLDER MEMBERS

Prints one line: how many fields were scored of those in the file (two variables at two leads),
seconds of processor time to score them by other libraries, from GRIB2 on, and gigabytes of the
process at the most. The files are made in FOLDER if they are not there.
"""

import resource
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

import numpy as np
import xarray as xr
from grib_manifests import write_manifest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.fields.settings import Fields
from stormdraw.scores.check.opinion import CaseFiles, Run, write_opinion
from stormdraw.scores.check.truth import Origin
from stormdraw.scores.threshold import Threshold

INIT = datetime(2026, 6, 8, 6)
LEADS = (1, 2)
STATE = ("REFC", "T2M")
THRESHOLDS = {"REFC": [Threshold(20.0), Threshold(30.0), Threshold(40.0)]}


def state(random: np.random.Generator) -> np.ndarray:
    """Storms and temperatures, (variable, y, x)."""
    fields = random.standard_normal((len(STATE), *HRRR.shape), np.float32)
    return np.stack([np.maximum(20.0 * fields[0], -10.0), 285.0 + 3.0 * fields[1]])


def make(folder: Path, members: int) -> tuple[list[Path], Path, Path]:
    """The manifests of the truth, the ensemble and the points that count."""
    random = np.random.default_rng(0)
    manifests = [folder / f"hour{lead}" / "manifest.csv" for lead in LEADS]
    ensemble, points = folder / f"members{members}.nc", folder / "points.nc"
    common = {"grid": HRRR, "longitude_of_orientation": 262.5, "latitude_of_tangency": 38.5}
    for lead, manifest in zip(LEADS, manifests, strict=True):
        if not manifest.exists():
            at = {"init": INIT + timedelta(hours=lead), "lead": 0, **common}
            hour = zip(STATE, state(random), strict=True)
            write_manifest(
                manifest.parent,
                [{"message": {"name": name, "values": own, **at}} for name, own in hour],
            )
    if not ensemble.exists():
        case = Case("trial", "diffusion", INIT, LEADS, STATE)
        with ensemble_file(ensemble, HRRR, case, range(members), {}, packed=True) as put:
            for member in range(members):
                for place in range(len(LEADS)):
                    put(member, place, state(random))
    if not points.exists():
        masks = {
            "mask": (("variable", "lead"), np.zeros((2, 2), np.int32)),
            "points": (("number", "y", "x"), np.ones((1, *HRRR.shape), np.uint8)),
        }
        labels = {"variable": np.array(STATE, object), "lead": list(LEADS)}
        xr.Dataset(masks, labels).to_netcdf(points, engine="netcdf4")
    return manifests, ensemble, points


def main(folder: Path, members: int) -> None:
    manifests, ensemble, points = make(folder, members)
    run = Run(0, LEADS, dict.fromkeys(STATE, Origin(manifests, True, -10.0)), Fields(), THRESHOLDS)
    start = time.process_time()
    table = write_opinion(CaseFiles(ensemble, points, []), run, folder / "opinion.csv")
    seconds = time.process_time() - start
    fields = table.groupby(["variable", "lead_hours"]).ngroups
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{fields} of {len(STATE) * len(LEADS)} {seconds:.0f} {peak:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
