"""All of the doctor's questions, for one configuration."""

from collections.abc import Mapping
from pathlib import Path

from stormdraw.costs.disk import disk_bytes
from stormdraw.costs.fetching import target_shape, wanted_files
from stormdraw.doctor.finding import Finding
from stormdraw.doctor.gpu import check_gpu
from stormdraw.doctor.machine import check_disk, check_memory, check_packages, check_python
from stormdraw.doctor.network import check_sources
from stormdraw.doctor.slurm import check_slurm
from stormdraw.models.plan import plan
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings


def examine(
    settings: Settings, models: Mapping[str, ModelSettings], checkout: Path
) -> list[Finding]:
    """Look at the machine; `checkout` is the workflow's folder."""
    shape = target_shape(settings)
    bytes_of = {
        name: plan(name, settings, model, shape)["training_bytes"] for name, model in models.items()
    }
    files = wanted_files(settings)
    return [
        check_python(),
        check_packages(checkout / "envs" / "requirements.txt"),
        check_disk(Path(), sum(disk_bytes(settings, files).values())),
        check_memory({name: needed["peak"] for name, needed in bytes_of.items()}),
        *check_gpu({name: needed["device_peak"] for name, needed in bytes_of.items()}),
        *check_sources(settings, files),
        *check_slurm(checkout / "profiles" / "slurm" / "config.yaml"),
    ]
