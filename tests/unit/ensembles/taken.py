"""Cases of systems that need no network."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from stormdraw.archive.base_model import base_model
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.registry import kinds
from stormdraw.ensembles.system import CaseToMake


def to_make(case: Case, output: Path, **files: Any) -> CaseToMake:
    """A case of a run of which only the reference is known, of these files."""
    run = SimpleNamespace(archive=SimpleNamespace(reference="href", base_model=base_model("hrrr")))
    return CaseToMake(run, case, output, {}, **files)  # type: ignore[arg-type]


def write(kind: str, case: Case, output: Path, **files: Any) -> None:
    """Write a case of a baseline or reference of this kind."""
    system = kinds()[kind].model_construct(name=case.system, method=case.method, kind=kind)
    system.write(to_make(case, output, **files))
