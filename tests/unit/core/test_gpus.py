"""The GPUs that the driver lists, with a program in place of `nvidia-smi`."""

import pytest

from stormdraw.gpus import Gpu, listed_gpus


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Puts an `nvidia-smi` with this body on the path."""

    def install(body: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return install


def test_gpus_are_listed_by_slot(driver):
    driver("echo 'GPU-1, NVIDIA X, 81559, 550.1'; echo 'GPU-2, NVIDIA Y, [N/A], 550.1'; echo")
    first, second = listed_gpus()
    assert first == Gpu("GPU-1", "NVIDIA X", 81559, "550.1")
    assert (str(first), str(second)) == ("NVIDIA X, 81559 MiB", "NVIDIA Y")


@pytest.mark.parametrize("body", ["exit 9", "echo 'No devices were found'"])
def test_a_driver_that_lists_none(driver, body):
    driver(body)
    assert listed_gpus() == []


def test_no_driver(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert listed_gpus() == []
