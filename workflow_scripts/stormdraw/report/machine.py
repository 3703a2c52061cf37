"""The hardware and the software versions that made the page."""

import contextlib
import os
import platform
import re
from importlib import metadata
from pathlib import Path

from stormdraw import __version__
from stormdraw.gpus import listed_gpus
from stormdraw.report.wording import size_text

# The packages that determine the numbers; envs/ lists all others.
_PACKAGES = (
    "snakemake",
    "herbie-data",
    "eccodes",
    "cfgrib",
    "pyproj",
    "numpy",
    "scipy",
    "xarray",
    "netCDF4",
    "pandas",
    "torch",
    "lightning",
    "diffusers",
    "properscoring",
    "xskillscore",
    "numba",
    "matplotlib",
    "pydantic",
    "Jinja2",
)


def versions() -> list[tuple[str, str]]:
    """(name, version) of this library, Python and the packages that are installed."""
    rows = [("stormdraw", __version__), ("Python", platform.python_version())]
    for name in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            rows.append((name, metadata.version(name)))
    return rows


def hardware() -> list[tuple[str, str]]:
    """(label, value) pairs for the machine this runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return [
        ("system", f"{platform.system()} {platform.release()} ({platform.machine()})"),
        ("processor", processor()),
        ("cores", str(_cores())),
        ("memory", size_text(memory)),
        ("GPU", "; ".join(map(str, listed_gpus())) or "none found"),
    ]


def _cores() -> int:
    """The cores this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor(path: str | Path = "/proc/cpuinfo") -> str:
    """The processor's model name, or its architecture if the system does not report a name."""
    with contextlib.suppress(OSError):
        text = Path(path).read_text(encoding="utf-8")
        if named := re.search(r"^model name\s*: (.+)", text, re.MULTILINE):
            return named[1]
    return platform.processor() or platform.machine()
