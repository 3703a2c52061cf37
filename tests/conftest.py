"""What all tests share."""

import os
from pathlib import Path

import pytest
from small_experiment import Experiment, check_out, set_up

import stormdraw  # noqa: F401  (before ecCodes; see its __init__)

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = Path(os.environ.get("STORMDRAW_REAL_DATA", ROOT.parent / "shared" / "real"))


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
def experiment(tmp_path: Path) -> Experiment:
    """A fresh checkout, with nothing run yet."""
    return set_up(check_out(tmp_path / "checkout"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """The whole workflow, run from an empty folder. Look, do not change: `copy` it for that."""
    experiment = set_up(check_out(tmp_path_factory.mktemp("finished") / "checkout"))
    run = experiment.snakemake()
    assert run.returncode == 0, run.stdout
    return experiment
