"""What an hour of the radar mosaic costs on HRRR's whole grid: `mosaic.py FILE`, a file of MRMS.

Processor seconds of one thread to decode the file, to find the cell of each of its points, which a
process does once, and to put it on the grid in both ways; the most memory of the process; and how
much of the grid has echoes then.
"""

import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

import stormdraw  # noqa: F401  (before ecCodes; see its __init__)
from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.truth import truth
from stormdraw.fields.mosaic import cells
from stormdraw.fields.source_fields import SourceField
from stormdraw.grib_values import decode
from stormdraw.messages import opened, read_grid

codes = truth("mrms").codes
assert codes is not None


def share(values, dbz):
    """The share of values, of those that are one, at some dBZ or above."""
    return float((values >= dbz).sum() / (values > codes.no_coverage).sum())


begun = time.process_time()


def told(what):
    """A line with the processor time since the last one."""
    global begun
    now, most = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{what}: {now - begun:.2f} s, {most:.2f} GB at most")
    begun = time.process_time()


message = Path(sys.argv[1]).read_bytes()
told("start")
with opened(message) as handle:
    field = SourceField("REFC", decode(handle), read_grid(handle), sys.argv[1])
told("decode")
of_cells = cells(field.grid, HRRR)
told("find the cells, once")
placed = {}
for method in ("average", "maximum"):
    placed[method] = of_cells.place(field, codes, method)
    told(f"on the grid by {method}")
inside = field.values[of_cells.window].ravel()[of_cells.nearest < placed["average"].size]
for name, values in {"points of the file": inside, **placed}.items():
    print(f"{name}: " + ", ".join(f"{share(values, d):.2%} >= {d} dBZ" for d in (20, 30, 40, 50)))
