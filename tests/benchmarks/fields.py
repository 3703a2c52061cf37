"""Decode, store and regrid beside their limits and the usual tools.

    python tests/benchmarks/fields.py [page to write [folder]]

Each table's ratios are from one run in which everything was done once a round; times are of the
fastest of several rounds. Without a page the tables are only printed. A folder that is named keeps
the data, 10 GB, and what lies there from before is not made again.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

import stormdraw  # noqa: F401  (before ecCodes; see its __init__)

from fields_decode import report_decode  # isort: skip
from fields_regrid import report_regrid  # isort: skip
from fields_store import report_store  # isort: skip
from timing import hardware  # isort: skip

_OPENING = """# What the fields stage costs

Written by `make benchmark-fields`. Ratios are of one run; milliseconds depend on the machine and on
what else it does.

"""


def main(page: str | None = None, kept: str | None = None) -> None:
    folder = Path(kept or tempfile.mkdtemp(prefix="stormdraw-fields-"))
    try:
        parts = [f"{_OPENING}{hardware()}\n"]
        for title, report in (
            ("Decode", report_decode),
            ("Store", report_store),
            ("Regrid", report_regrid),
        ):
            parts.append(f"\n## {title}\n\n{report(folder)}")
            print(parts[-1], flush=True)
        if page:
            Path(page).write_text("".join(parts), encoding="utf-8")
    finally:
        if not kept:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
