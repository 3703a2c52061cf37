"""The table that `make plan` prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stormdraw.costs.computing import Computing, computing
from stormdraw.costs.disk import disk_bytes, ensemble_bytes, keeps_ensembles
from stormdraw.costs.fetching import Fetching, fetching, fetching_stations, wanted_files
from stormdraw.costs.machine import free_at
from stormdraw.models.gpu_peaks import GPUS, RTX_4090, GpuPeaks
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings


@dataclass(frozen=True)
class CostPlan:
    """The costs of a whole run from scratch.

    `disk` is the largest use at once, by stage; `passing_ensembles` are the bytes of all ensembles
    of a run that does not keep them, else 0. `computing` is that on each of some GPUs.
    """

    title: str
    sources: dict[str, Fetching]
    disk: dict[str, int]
    passing_ensembles: int
    computing: dict[GpuPeaks, Computing]

    @property
    def disk_bytes(self) -> int:
        """The total over all stages."""
        return sum(self.disk.values())


def cost_plan(settings: Settings, models: Mapping[str, ModelSettings]) -> CostPlan:
    """The plan of a configuration."""
    files = wanted_files(settings)
    sources = {source: fetching(settings, found) for source, found in files.items()}
    if (stations := fetching_stations(settings)) is not None:
        sources["stations"] = stations
    return CostPlan(
        title=settings.title,
        sources=sources,
        disk=disk_bytes(settings, files),
        passing_ensembles=0 if keeps_ensembles(settings) else ensemble_bytes(settings, files),
        computing={gpu: computing(settings, models, gpu) for gpu in GPUS},
    )


def plan_text(plan: CostPlan, jobs: int, on_gpu: int, submitted: int, folder: Path) -> str:
    """The plan as lines, with the free disk space of `folder`.

    `jobs` remain to run, `on_gpu` of them on a GPU; Slurm gets them as `submitted` jobs. `folder`
    may not exist yet.
    """
    sources = plan.sources.values()
    free, place = free_at(folder)
    rows = [
        (
            "files",
            f"{sum(source.files for source in sources)}",
            _parts({name: f"{source.files}" for name, source in plan.sources.items()}),
        ),
        ("to fetch", _size(sum(source.over_network for source in sources)), "over the network"),
        ("disk", _size(plan.disk_bytes), _parts({k: _size(v) for k, v in plan.disk.items()})),
        ("free here", _size(free), str(place)),
        *(
            ("GPU-hours", " to ".join(map(_hours, on.gpu_hours)), f"on {gpu.name}, {gpu.known}")
            for gpu, on in plan.computing.items()
        ),
        (
            "core-hours",
            _hours(plan.computing[RTX_4090].core_hours),
            "without a GPU: from one training timed on two cores",
        ),
        ("jobs", f"{jobs}", f"still to run, {on_gpu} of them on a GPU"),
        (
            "submissions",
            f"{submitted}",
            "to Slurm, where short jobs go together",
        ),
    ]
    width = max(len(amount) for _, amount, _ in rows)
    lines = [
        plan.title,
        *(f"  {what:<11}{amount:>{width}}   {more}" for what, amount, more in rows),
    ]
    if plan.passing_ensembles:
        lines.append(
            f"  Ensembles are deleted once they are scored: of {_size(plan.passing_ensembles)} in "
            "all, the disk holds a few cases at a time, or more if several GPUs draw."
        )
    if free < plan.disk_bytes:
        lines.append(
            "  The disk is too small: choose a smaller fields.crop or shorter periods, or run with "
            "--directory on a larger disk."
        )
    return "\n".join(lines)


def _parts(parts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in parts.items())


def _size(count: float) -> str:
    """Bytes in powers of ten, as networks and disks are sold."""
    for unit, step in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= step:
            return f"{count / step:.3g} {unit}"
    return f"{count / 1e3:.0f} kB"


def _hours(hours: float) -> str:
    return f"{hours:.2g}" if hours < 10 else f"{hours:,.0f}"
