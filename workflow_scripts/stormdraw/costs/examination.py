"""All checks of the doctor for one configuration."""

import sys
from collections.abc import Mapping
from pathlib import Path

from stormdraw.configuration import check_places, remarks
from stormdraw.costs.disk import disk_bytes
from stormdraw.costs.fetching import wanted_files
from stormdraw.costs.finding import Finding
from stormdraw.costs.gpu import check_gpu
from stormdraw.costs.machine import (
    check_disk,
    check_memory,
    check_packages,
    check_path,
    check_python,
)
from stormdraw.costs.network import check_sources, check_stations
from stormdraw.costs.slurm import check_slurm
from stormdraw.costs.trainings import check_trainings
from stormdraw.errors import StormdrawError
from stormdraw.fields.expected_grid import target_shape
from stormdraw.models.plan import plan
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings
from stormdraw.times import now_utc


def check_configuration(settings: Settings, models: Mapping[str, ModelSettings]) -> list[Finding]:
    """Problems of the paths and the grid that the configuration names."""
    try:
        check_places(settings, models, [])
    except StormdrawError as error:
        return [Finding("problem", "configuration", str(error), "mend that key")]
    found = remarks(settings, models, now_utc())
    if not found:
        return [Finding("good", "configuration", "nothing in it is known to be wrong")]
    return [Finding("note", "configuration", remark, "nothing, if it is meant") for remark in found]


def examine(
    settings: Settings, models: Mapping[str, ModelSettings], checkout: Path
) -> list[Finding]:
    """Check the machine; `checkout` is the workflow's folder."""
    shape = target_shape(settings)
    trained = {name: models[name] for name in settings.trained_models}
    bytes_of = {
        name: plan(name, settings, model, shape)["training_bytes"]
        for name, model in trained.items()
    }
    files = wanted_files(settings)
    return [
        *check_configuration(settings, models),
        check_python(),
        # The first entry is this script's folder.
        check_path(sys.path[1:]),
        check_packages(checkout / "envs" / "requirements.txt"),
        check_disk(Path("results"), sum(disk_bytes(settings, files).values())),
        check_memory({name: needed["peak"] for name, needed in bytes_of.items()}),
        *check_gpu({name: needed["device_peak"] for name, needed in bytes_of.items()}),
        *check_trainings(trained),
        *check_sources(settings, files),
        *check_stations(settings),
        *check_slurm(checkout / "profiles" / "slurm" / "config.yaml"),
    ]
