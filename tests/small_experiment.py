"""The whole workflow, small enough for a test: a corner of the world, two cases, a tiny model."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from started_snakemake import run_snakemake

ROOT = Path(__file__).resolve().parents[1]

CONFIG: dict[str, Any] = {
    "title": "A small experiment",
    "seed": 3,
    "variables": ["REFC", "T2M", "D2M", "U10", "V10"],
    "periods": {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T11:00"},
        "validation": {"start": "2026-06-01T13:00", "end": "2026-06-01T15:00"},
        "test": {"start": "2026-06-02T00:00", "end": "2026-06-02T08:00"},
    },
    "cases": {"every_hours": 6},
    "leads": [1, 2],
    "archive": {
        "source": "simulated",
        "reference": "href",
        "simulated": {"rows": [480, 503], "columns": [880, 907], "spin_up_hours": 3},
    },
    "models": ["small"],
    "ensembles": {
        "members": 5,
        "calibration_amplitudes": [1.25],
        "systems": [
            {
                "name": "small",
                "method": "diffusion",
                "model": "small",
                "steps": 3,
                "calibrate": True,
            },
            {"name": "href", "method": "reference", "kind": "members"},
            {"name": "href_mean_spread", "method": "reference", "kind": "products"},
            {"name": "persistence", "method": "baseline", "kind": "persistence"},
            {"name": "climatology", "method": "baseline", "kind": "climatology"},
            {"name": "perfect", "method": "perfect"},
        ],
    },
    "scores": {
        "reference": "href",
        "thresholds": {"REFC": [20.0, 30.0], "T2M": ["<= 290", "p90"], "WIND10": ["<= p20"]},
    },
}

MODEL: dict[str, Any] = {
    "family": "conditional_unet",
    "network": {"base_channels": 8},
    "prediction": "v",
    "target": "residual",
    "forcings": ["hour_of_day", "solar_elevation", "terrain"],
    "training": {"epochs": 3, "batch_size": 4, "accumulation": 1, "ema_decay": 0.9},
}


@dataclass
class Experiment:
    """A checkout of its own with a configuration in it."""

    folder: Path

    @property
    def config_path(self) -> Path:
        return self.folder / "config" / "small.yaml"

    @property
    def model_path(self) -> Path:
        return self.folder / "config" / "models" / "small.yaml"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def config(self) -> dict[str, Any]:
        return yaml.safe_load(self.config_path.read_text())

    def configure(self, config: dict[str, Any]) -> None:
        self.config_path.write_text(yaml.safe_dump(config))

    def arguments(self, *arguments: str | Path) -> list[str]:
        """Those of `snakemake` on this experiment."""
        # --cores last: after --configfile, targets would count as further configuration files.
        configured = ["--configfile", "config/small.yaml"]
        # A run ends only when Snakemake's last look for jobs is due, up to five seconds later with
        # the profile's pace. Here are few jobs, so that it may look every second.
        pace = ["--max-jobs-per-timespan", "100/1s"]
        return [*configured, *pace, "--cores", "2", *map(str, arguments)]

    def command(self, *arguments: str | Path) -> list[str]:
        """`snakemake` on this experiment, as a user would type it."""
        return [sys.executable, "-m", "snakemake", *self.arguments(*arguments)]

    def environment(self) -> dict[str, str]:
        # Snakemake keeps caches in the home folder; a test keeps to its own. Threads that wait give
        # up their core: another test's job wants it.
        return {
            **os.environ,
            "HOME": str(self.folder.parent),
            "XDG_CACHE_HOME": str(self.folder),
            "OMP_WAIT_POLICY": "PASSIVE",
        }

    def snakemake(
        self, *arguments: str | Path, forked_jobs: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run it; standard output and error together in `stdout`."""
        given, where = self.arguments(*arguments), (self.folder, self.environment())
        return run_snakemake(given, *where, timeout=900, forked_jobs=forked_jobs)

    def snakemake_as_typed(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run it in a process of its own, as for a user."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=900,
        )

    def copy(self, folder: Path) -> "Experiment":
        """The same, with everything it has come to, somewhere else."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Experiment(folder)


def check_out(folder: Path) -> Experiment:
    """Copy what git would: the tracked files, and the new ones it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return Experiment(folder)


def idaho_config() -> dict[str, Any]:
    """`config/idaho.yaml` with the small model and few members."""
    config = yaml.safe_load((ROOT / "config" / "idaho.yaml").read_text())
    config["models"] = ["small"]
    config["ensembles"]["members"] = 5
    small = {"name": "small", "method": "diffusion", "model": "small", "steps": 3}
    config["ensembles"]["systems"][0] = small
    del config["cases"]["history"]
    return config


def set_up(experiment: Experiment, config: dict[str, Any] = CONFIG) -> Experiment:
    """Put a configuration and the small model into a checkout."""
    experiment.configure(config)
    experiment.model_path.write_text(yaml.safe_dump(MODEL))
    return experiment


@contextmanager
def edited_code(experiment: Experiment, *names: str) -> Iterator[None]:
    """Within the block, these files of the library have one more statement."""
    library = experiment.folder / "workflow_scripts" / "stormdraw"
    texts = {path: path.read_text() for path in map(library.joinpath, names)}
    for path, text in texts.items():
        path.write_text(text + "\nEDITED = True\n")
    try:
        yield
    finally:
        for path, text in texts.items():
            path.write_text(text)


def planned(experiment: Experiment, *targets: str) -> dict[str, int]:
    """Rule -> number of jobs a dry run would start."""
    run = experiment.snakemake(*targets, "--dry-run", "--quiet", "rules")
    assert run.returncode == 0, run.stdout
    if "Nothing to be done" in run.stdout:
        return {}
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", run.stdout, flags=re.MULTILINE))
    return {rule: int(count) for rule, count in jobs.items() if rule not in ("all", "total")}
