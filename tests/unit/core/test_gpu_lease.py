"""Leases of GPUs, with a driver that only lists them."""

import contextlib
import os
import subprocess
import sys
import threading
import time

import pytest

from stormdraw.errors import StormdrawError
from stormdraw.gpu_lease import gpu_lease, visible_gpus


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Puts an `nvidia-smi` that lists so many GPUs on the path; returns their names."""

    def install(count: int) -> list[str]:
        # Names of this test only: leases hold on the whole machine.
        names = [
            f"GPU-{chr(ord('a') + number)}{os.getpid()}-{time.time_ns()}" for number in range(count)
        ]
        listing = "\n".join(f"echo {name}, A100, 40960, 550.1" for name in names)
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{listing}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        return names

    return install


@contextlib.contextmanager
def another_job():
    """A lease taken by a process whose environment this one does not see."""
    with gpu_lease() as leased:
        os.environ.pop("CUDA_VISIBLE_DEVICES")
        yield leased


def test_each_job_has_a_gpu_of_its_own(driver):
    names = driver(3)
    with another_job() as first, gpu_lease() as second:
        assert (first, second) == ((names[0],), (names[1],))
        assert os.environ["CUDA_VISIBLE_DEVICES"] == names[1]
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_a_gpu_given_back_is_leased_again(driver):
    names = driver(2)
    for _ in range(3):
        with gpu_lease() as leased:
            assert leased == (names[0],)


def test_several_at_once(driver):
    names = driver(3)
    with gpu_lease(2) as leased:
        assert leased == tuple(names[:2])
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ",".join(names[:2])


def test_one_too_many_waits_for_the_first_to_end(driver):
    names = driver(2)
    leased = []

    def late():
        with gpu_lease(poll_seconds=0.01) as gpus:
            leased.extend(gpus)

    waiting = threading.Thread(target=late)
    with another_job(), another_job():
        waiting.start()
        waiting.join(timeout=0.3)
        assert waiting.is_alive()
        assert leased == []
    waiting.join(timeout=10)
    assert leased[0] in names


def test_a_killed_job_holds_nothing(driver):
    names = driver(2)
    program = (
        "import time\n"
        "from stormdraw.gpu_lease import gpu_lease\n"
        "with gpu_lease() as leased:\n"
        "    print(*leased, flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    other = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert other.stdout.readline().split() == names[:1]
        with gpu_lease() as leased:
            assert leased == (names[1],)
    finally:
        other.kill()
        other.communicate()
    with gpu_lease() as leased:
        assert leased == (names[0],)


def test_nothing_is_done_where_there_is_no_choice(driver, monkeypatch):
    names = driver(1)
    with gpu_lease() as one, gpu_lease() as same:
        assert one == same == (names[0],)
        assert "CUDA_VISIBLE_DEVICES" not in os.environ
    monkeypatch.setenv("PATH", "/nowhere")
    with gpu_lease() as none:
        assert none == ()


@pytest.fixture
def cuda(tmp_path, monkeypatch):
    """Puts a PyTorch in the place of the real one that sees these GPUs, in this order."""

    def install(names: list[str]) -> None:
        code = "class cuda:\n"
        code += f"    names = {[name.removeprefix('GPU-') for name in names]}\n"
        code += "    device_count = staticmethod(lambda: len(cuda.names))\n"
        code += "    get_device_properties = staticmethod(\n"
        code += "        lambda n: type('Properties', (), {'uuid': cuda.names[n]})\n    )\n"
        (tmp_path / "torch.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return install


def test_only_gpus_that_are_visible_are_leased(driver, monkeypatch):
    names = driver(4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", f"{names[2]},{names[3][:6]}")
    assert visible_gpus() == names[2:]
    with gpu_lease() as leased:
        assert leased == (names[2],)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == f"{names[2]},{names[3][:6]}"


def test_numbers_are_those_that_cuda_counts_by(driver, cuda, monkeypatch):
    """The driver lists by slot; CUDA counts the fastest first, here the last one."""
    names = driver(3)
    cuda([names[2], names[0]])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with gpu_lease() as leased:
        assert leased == (names[2],)
        assert os.environ["CUDA_VISIBLE_DEVICES"] == names[2]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"


def test_a_job_with_numbers_and_one_without_do_not_share_a_gpu(driver, cuda, monkeypatch):
    names = driver(2)
    cuda([names[1], names[0]])
    with another_job() as first:
        assert first == (names[0],)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
        cuda([names[0], names[1]])
        with gpu_lease() as second:
            assert second == (names[1],)


def test_gpus_that_cuda_does_not_see_are_told(driver, cuda, monkeypatch):
    names = driver(3)
    cuda(names[:1])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with pytest.raises(StormdrawError, match="is 0,1, of which PyTorch sees 1 GPUs"), gpu_lease():
        pass


def test_a_number_that_slurm_gives_is_left_as_it_is(driver, monkeypatch):
    driver(2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with gpu_lease() as leased:
        assert leased == ("1",)
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"


@pytest.mark.parametrize("hidden", ["", "-1", "NoDevFiles"])
def test_hidden_gpus_are_left_alone(driver, monkeypatch, hidden):
    driver(2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    with gpu_lease() as leased:
        assert leased == ()


def test_a_gpu_that_is_not_there_is_named(driver, monkeypatch):
    driver(2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,5")
    with pytest.raises(StormdrawError, match="names the GPU '5', which does not exist"):
        visible_gpus()
