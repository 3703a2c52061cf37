"""Pins requirements*.in to what is installed in this environment, with all they need.

The same pins go into stormdraw.yaml for conda, which could not find another file from where
Snakemake puts it.

Run by `make pins` inside the environment to be copied. Local build labels (torch's `+cpu`) are
dropped, so that each machine gets the build that is right for it.
"""

import re
from collections.abc import Iterable
from importlib.metadata import distribution, version
from pathlib import Path

from packaging.requirements import Requirement

HERE = Path(__file__).parent


def direct(path: Path) -> list[str]:
    """The names in a requirements.in file."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def closure(names: Iterable[str]) -> set[str]:
    """Normalised names of the packages and of everything they need here."""
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        requirement = waiting.pop()
        key = (normalised(requirement.name), frozenset(requirement.extras))
        if key in found:
            continue
        found.add(key)
        for text in distribution(requirement.name).requires or []:
            needed = Requirement(text)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(needed)
    return {name for name, _ in found}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def write_pins(path: Path, names: set[str], heading: str) -> None:
    pins = [f"{name}=={version(name).partition('+')[0]}" for name in sorted(names)]
    path.write_text("\n".join([heading, *pins]) + "\n")


def write_conda_environment(path: Path, requirements: Path) -> None:
    """The pins of a requirements file below `pip:`; what stands above that is kept."""
    head, marker, _ = path.read_text().partition("  - pip:\n")
    pins = [line for line in requirements.read_text().splitlines() if not line.startswith("#")]
    path.write_text(head + marker + "".join(f"      - {pin}\n" for pin in pins))


if __name__ == "__main__":
    workflow = closure(direct(HERE / "requirements.in"))
    tests = closure(direct(HERE / "requirements-test.in")) - workflow
    write_pins(HERE / "requirements.txt", workflow, "# Made by `make pins` from requirements.in.")
    write_conda_environment(HERE / "stormdraw.yaml", HERE / "requirements.txt")
    write_pins(
        HERE / "requirements-test.txt",
        tests,
        "# Made by `make pins` from requirements-test.in; goes with requirements.txt.",
    )
