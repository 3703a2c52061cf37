"""Synthetic fields on disk."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hours_with_roles import write_numbered
from synthetic_hours import HOURS, START, VARIABLES, write_fields, write_static

from stormdraw.fields.statistics import compute_statistics, write_statistics
from stormdraw.models.settings import ModelSettings, load_model_settings
from stormdraw.models.training_files import TrainingFiles
from stormdraw.times import hourly, hours


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two day files, static.nc and statistics.nc."""
    folder = tmp_path_factory.mktemp("synthetic")
    times = list(hourly(START, START + hours(HOURS + 2)))
    write_fields(folder / "first.nc", times[:5])
    write_fields(folder / "second.nc", times[5:])
    write_static(folder / "static.nc")
    paths = [folder / "first.nc", folder / "second.nc"]
    write_statistics(
        compute_statistics(paths, VARIABLES, times[:HOURS]), folder / "statistics.nc", {}
    )
    return folder


@pytest.fixture
def training_files(synthetic: Path, tmp_path: Path) -> Callable[[str], TrainingFiles]:
    """What a training reads from the synthetic folder and writes under `tmp_path`."""

    def files(name: str) -> TrainingFiles:
        own = tmp_path / name
        return TrainingFiles(
            fields=[synthetic / "first.nc", synthetic / "second.nc"],
            statistics=synthetic / "statistics.nc",
            static=synthetic / "static.nc",
            model=own / "model.pt",
            metrics=own / "metrics.json",
            resume_folder=own / "resume",
            tensorboard_folder=own / "tensorboard",
        )

    return files


@pytest.fixture
def residual(root: Path) -> ModelSettings:
    return load_model_settings(root / "config" / "models" / "ddpm_residual.yaml")


@pytest.fixture(scope="session")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day file in which the value of each variable says which hour it is of."""
    path = tmp_path_factory.mktemp("numbered") / "day.nc"
    write_numbered(path)
    return path
