"""Zarr format 3: a store for each system, (init_time, number, lead_time, y, x)."""

from stormdraw.ensembles.export import CaseToExport
from stormdraw.ensembles.zarr_case import write_case
from stormdraw.ensembles.zarr_store import add_case, waiting_case


def export(case: CaseToExport) -> None:
    """Add a case to the store, which appears in it as a whole.

    Raises StormdrawError if the file has more members than the run's largest, or if the disk is
    full or has no locks.
    """
    with waiting_case(case.folder, case.ensemble.stem) as folder:
        write_case(case.ensemble, folder, case.members)
    add_case(case.folder, case.ensemble.stem, case.inits)
