"""What all tests share."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from small_experiment import Experiment, check_out, set_up
from xdist.scheduler import LoadScopeScheduling

import stormdraw  # noqa: F401  (before ecCodes; see its __init__)
from stormdraw.variables import use_table

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = Path(os.environ.get("STORMDRAW_REAL_DATA", ROOT.parent / "shared" / "real"))


class ReportInOneProcess(LoadScopeScheduling):
    """Deals tests out singly, but those of the report together: they share a run and its figures.

    This is not `xdist_group`: pytest-xdist 3.8 writes groups into an attribute of tests that
    pytest 9 does not read.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "report" if nodeid.startswith("tests/unit/report/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ReportInOneProcess | None:
    """That of `--dist loadgroup`; other ways are those of pytest-xdist."""
    return ReportInOneProcess(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that need the finished experiment come last: meanwhile, another process makes it."""
    waiting = {item.path for item in items if "finished" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path in waiting)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real HRRR crops, messages and inventories; not part of the project."""
    if not (REAL_DATA / "hrrr_idaho").is_dir():
        pytest.skip(f"no real crops at {REAL_DATA}; set STORMDRAW_REAL_DATA to their folder")
    return REAL_DATA


@pytest.fixture
def shipped_table() -> Iterator[None]:
    """The next test has the shipped table of variables, whatever this one uses."""
    yield
    use_table(None)


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    """A fresh checkout, with nothing run yet."""
    return set_up(check_out(tmp_path / "checkout"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """The whole workflow, run from an empty folder. Look, do not change: `copy` it for that.

    Parallel test processes share one run: the first makes it, the others wait.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "finished" / "checkout"
    outcome = shared / "finished.log"
    with FileLock(shared / "finished.lock"):
        if not outcome.exists():
            run = set_up(check_out(folder)).snakemake_as_typed()
            outcome.write_text(f"{run.returncode}\n{run.stdout}")
    assert outcome.read_text().startswith("0\n"), outcome.read_text()
    return Experiment(folder)
