"""What a page was made with: hardware and versions."""

import os
import platform
from importlib import metadata
from pathlib import Path

from stormdraw import __version__
from stormdraw.gpus import listed_gpus
from stormdraw.report.wording import size_text

# What decides about the numbers; everything else is in envs/.
_PACKAGES = (
    "snakemake",
    "herbie-data",
    "eccodes",
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
    found = [("stormdraw", __version__), ("Python", platform.python_version())]
    for name in _PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> list[tuple[str, str]]:
    """(what, value) of the machine this runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return [
        ("system", f"{platform.system()} {platform.release()} ({platform.machine()})"),
        ("processor", processor()),
        ("cores", str(_cores())),
        ("memory", size_text(memory)),
        ("GPU", "; ".join(map(str, listed_gpus())) or "none seen"),
    ]


def _cores() -> int:
    """Cores this process may use; not all of a shared machine's are its own."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor(path: str | Path = "/proc/cpuinfo") -> str:
    """The processor's model name, or its architecture where the system does not tell."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()
