"""What all tests share."""

import functools
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

# The report's run and figures, and exported models.
SHARING_FOLDERS = ("tests/unit/report/", "tests/unit/ensembles/package/")


class SharersTogether(LoadScopeScheduling):
    """Deals tests out singly, but those together that share what would be made in each process.

    Tests of SHARING_FOLDERS share what their conftest.py makes, those of some files a fixture of
    their own.
    The largest such groups are dealt out first, single tests at the end.

    This is not `xdist_group`: pytest-xdist 3.8 writes groups into an attribute of tests that
    pytest 9 does not read.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        own = path if has_fixture_of_its_own(path) else nodeid
        return next((folder for folder in SHARING_FOLDERS if path.startswith(folder)), own)


@functools.cache
def has_fixture_of_its_own(path: str) -> bool:
    """Whether a file of tests makes something once for several of them."""
    return '(scope="module")' in (ROOT / path).read_text()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharersTogether | None:
    """That of `--dist loadgroup`; other ways are those of pytest-xdist."""
    return SharersTogether(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first file that needs the finished experiment makes it, at once, in one process.

    Another process takes up the files that do not need it, and after them the others that do.
    """
    needing = [item.path for item in items if "finished" in getattr(item, "fixturenames", ())]
    places = dict.fromkeys(needing, 2) | dict.fromkeys(needing[:1], 0)
    items.sort(key=lambda item: places.get(item.path, 1))


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

    Its jobs are forked; that each rule does the same as a process of its own is for tests/rules.
    Parallel test processes share one run: the first makes it, the others wait.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "finished" / "checkout"
    outcome = shared / "finished.log"
    with FileLock(shared / "finished.lock"):
        if not outcome.exists():
            run = set_up(check_out(folder)).snakemake(forked_jobs=True)
            outcome.write_text(f"{run.returncode}\n{run.stdout}")
    assert outcome.read_text().startswith("0\n"), outcome.read_text()
    return Experiment(folder)


@pytest.fixture
def calibrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In a folder whose study has calibrated the small experiment's system: its calibration."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results" / "models" / "small" / "calibration_small.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    return path
