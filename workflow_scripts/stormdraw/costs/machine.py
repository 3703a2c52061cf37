"""Python and its packages, disk and memory."""

import os
import re
import shutil
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from stormdraw.costs.finding import Finding
from stormdraw.errors import StormdrawError
from stormdraw.surroundings import LIBRARY, check_interpreter, check_library

_PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
_OLDEST_PYTHON = (3, 11)


def check_python(
    version: tuple[int, int, int] = sys.version_info[:3], executable: str = sys.executable
) -> Finding:
    """At least Python 3.11, at a path that Snakemake can start it from."""
    text = ".".join(map(str, version))
    try:
        check_interpreter(executable)
    except StormdrawError as error:
        found, _, to_do = str(error).partition("; ")
        return Finding("problem", "Python", found, to_do)
    if version[:2] < _OLDEST_PYTHON:
        return Finding(
            "problem", "Python", text, "install 3.11 or newer and run `make PYTHON=python3.11 demo`"
        )
    return Finding("good", "Python", text)


def check_path(search_path: Sequence[str]) -> Finding:
    """No other stormdraw comes first on the search path; see `check_library`."""
    try:
        check_library(search_path)
    except StormdrawError as error:
        found, _, to_do = str(error).partition("; ")
        return Finding("problem", "library", found, to_do)
    return Finding("good", "library", str(LIBRARY))


def check_packages(requirements: Path) -> Finding:
    """The pinned packages are installed, in the pinned versions."""
    absent, other = [], []
    pins = _PIN.findall(requirements.read_text(encoding="utf-8"))
    for name, version in pins:
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            absent.append(name)
            continue
        # A local build label, torch's `+cpu`, is the same version.
        if installed.partition("+")[0] != version:
            other.append(f"{name} {installed} instead of {version}")
    again = f"pip install --requirement {requirements}"
    if absent:
        return Finding("problem", "packages", f"missing: {', '.join(absent)}", again)
    if other:
        return Finding("note", "packages", f"not as pinned: {', '.join(other)}", again)
    return Finding("good", "packages", f"{len(pins)}, as pinned in {requirements}")


def check_disk(folder: Path, needed: int) -> Finding:
    """Room for the results of a run in `folder`, or in its parent if it does not exist.

    `needed` is in bytes.
    """
    free, place = free_at(folder)
    found = f"{gigabytes(free)} free at {place}, the run takes about {gigabytes(needed)}"
    if free < needed:
        to_do = "run with `--directory` on a larger disk, or choose a smaller fields.crop"
        return Finding("problem", "disk", found, to_do)
    return Finding("good", "disk", found)


def free_at(folder: Path) -> tuple[int, Path]:
    """Free bytes of the disk that holds or will hold a folder, and the path that was checked."""
    place = folder if folder.exists() else folder.parent
    return shutil.disk_usage(place).free, place.resolve()


def check_memory(needed: dict[str, int], there: int | None = None) -> Finding:
    """Memory for the largest training; `needed` is in bytes for each model."""
    if there is None:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if not needed:
        return Finding("good", "memory", gigabytes(there))
    model, most = max(needed.items(), key=lambda pair: pair[1])
    found = f"{gigabytes(there)}, training {model} takes up to {gigabytes(most)}"
    if there < most:
        to_do = (
            f"lower training.batch_size or training.data_gigabytes of config/models/{model}.yaml"
        )
        return Finding("problem", "memory", found, to_do)
    return Finding("good", "memory", found)


def gigabytes(count: float) -> str:
    """Bytes as gigabytes."""
    return f"{count / 1e9:.3g} GB"
