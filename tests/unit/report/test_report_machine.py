import platform
from importlib import metadata
from pathlib import Path

import pytest

from stormdraw import __version__
from stormdraw.report.machine import hardware, processor, versions


def test_versions_are_those_installed() -> None:
    found = dict(versions())
    assert found["stormdraw"] == __version__
    assert found["Python"] == platform.python_version()
    assert found["torch"] == metadata.version("torch")
    assert found["snakemake"] == metadata.version("snakemake")


def test_packages_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert [name for name, _ in versions()] == ["stormdraw", "Python"]


def test_the_processor_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nmodel name\t: A CPU: fast @ 2.00GHz\nprocessor\t: 1\n")
    assert processor(path) == "A CPU: fast @ 2.00GHz"
    # Systems without the file, and ARM's, which has no such line, still say something.
    path.write_text("processor\t: 0\n")
    assert processor(path)
    assert processor(tmp_path / "none") == processor(path)


def test_without_a_driver_no_gpu_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    rows = dict(hardware())
    assert rows["GPU"] == "none found"
    assert int(rows["cores"]) >= 1
    assert rows["memory"].endswith("iB")
