"""Which packages of the library may import which, imports inside functions included."""

import ast
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

STAGES = ("archive", "fields", "models", "ensembles", "scores", "report")


def imported(root: Path, package: str) -> Iterator[tuple[str, str]]:
    """(file, name of a module of the library) of each import of a package's modules."""
    library = root / "workflow_scripts" / "stormdraw"
    assert (library / package).is_dir()
    for path in (library / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports by a relative name"
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                if name.startswith("stormdraw."):
                    yield str(path.relative_to(library)), name


def offenders(root: Path, package: str, forbidden: str) -> list[tuple[str, str]]:
    return [
        (file, name) for file, name in imported(root, package) if name.split(".")[1] == forbidden
    ]


@pytest.mark.parametrize(("stage", "later"), list(itertools.combinations(STAGES, 2)))
def test_a_stage_imports_nothing_of_a_later_one(root, stage, later):
    assert offenders(root, stage, later) == []


@pytest.mark.parametrize("stage", STAGES)
def test_the_simulated_world_imports_nothing_of_a_stage(root, stage):
    """Except, in one place, the base models, one of which it simulates."""
    own = [
        (file, name)
        for file, name in offenders(root, "simulated", stage)
        if file != "simulated/base.py" or not name.startswith("stormdraw.archive.base_model")
    ]
    assert own == []


@pytest.mark.parametrize("package", [*STAGES, "simulated"])
def test_nothing_that_a_run_is_made_by_imports_what_it_costs(root, package):
    assert offenders(root, package, "costs") == []


def test_the_rules_are_read_without_what_takes_long_to_import(root):
    """Each start of Snakemake reads the list of figures; these would add seconds to it."""
    code = (
        "import sys; from stormdraw.report.figure import figures; assert figures(); "
        "sys.exit(' '.join({'torch', 'scipy.stats'} & set(sys.modules)))"
    )
    environment = {"PYTHONPATH": str(root / "workflow_scripts")}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert run.stderr.decode() == "\n"
