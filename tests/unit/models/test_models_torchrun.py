"""What torchrun is started with and how it is listened to, with a stand-in for its process."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from synthetic_hours import make_model_settings, make_settings

from stormdraw.errors import StormdrawError
from stormdraw.models import launch
from stormdraw.models.launch import train_on_devices
from stormdraw.models.training_files import TrainingFiles

Files = Callable[[str], TrainingFiles]


class Torchrun:
    """Says `lines` and ends with `status`; keeps what it was started with and sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lines: Sequence[str], status: int) -> None:
        self.lines, self.status = lines, status
        self.sent: list[int] = []
        self.stdout: Iterator[str] = iter(())
        monkeypatch.setattr(launch.subprocess, "Popen", self._start)

    def _start(self, command: list[str], env: dict[str, str], **options: Any) -> "Torchrun":
        self.command, self.environment, self.options = command, env, options
        self.job = json.loads((Path(command[-1]) / "job.json").read_text())
        self.stdout = self._say()
        return self

    def _say(self) -> Iterator[str]:
        for line in self.lines:
            if line == "interrupted":
                os.kill(os.getpid(), signal.SIGINT)
            yield line + "\n"

    def wait(self) -> int:
        return self.status

    def send_signal(self, number: int) -> None:
        self.sent.append(number)


@pytest.fixture
def torchrun(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Torchrun]:
    def started(*lines: str, status: int = 0) -> Torchrun:
        return Torchrun(monkeypatch, lines, status)

    return started


def start(files: TrainingFiles, threads: int = 1, **training: Any) -> None:
    model = make_model_settings({"batch_size": 2, **training})
    train_on_devices("small", make_settings(), model, files, threads)


def test_a_single_device_needs_no_torchrun(
    training_files: Files, torchrun: Callable[..., Torchrun], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []
    monkeypatch.setattr(launch, "train", lambda name, *_: trained.append(name))
    waiting = torchrun()
    start(training_files("one"), devices=1)
    assert trained == ["small"]
    assert not hasattr(waiting, "command")


def test_each_process_is_started_once_and_has_a_thread_and_time_to_save(
    training_files: Files, torchrun: Callable[..., Torchrun]
) -> None:
    """torchrun kills those that have not saved in half a minute if it is not told."""
    started = torchrun()
    start(training_files("one"), devices=2)
    assert started.environment["OMP_NUM_THREADS"] == "1"
    assert {"--max-restarts=0", "--shutdown-timeout=60"} <= set(started.command)
    # Else the terminal's Ctrl-C would reach it as well.
    assert started.options["start_new_session"]


def test_a_torchrun_a_node_has_the_cores_of_the_job_and_any_network(
    training_files: Files, torchrun: Callable[..., Torchrun], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    for variable in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
        monkeypatch.delenv(variable, raising=False)
    started = torchrun()
    start(training_files("one"), threads=6, nodes=2)
    assert started.command[0] == "srun"
    asked = started.command[: started.command.index("-m")]
    assert {"--ntasks=2", "--ntasks-per-node=1", "--cpus-per-task=6"} <= set(asked)
    # One that fails ends the others, so that the job can be started again.
    assert "--kill-on-bad-exit=1" in asked
    assert not {"GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"} & started.environment.keys()


def test_a_file_that_is_not_there_is_none_for_the_processes(
    training_files: Files, torchrun: Callable[..., Torchrun]
) -> None:
    started, files = torchrun(), training_files("one")
    start(files, devices=2)
    assert started.job["files"]["forecaster"] is None
    assert started.job["files"]["fields"] == [str(path) for path in files.fields]
    assert started.job["files"]["static"] == str(files.static)


def test_the_error_is_what_a_process_said_last_or_torchrun_itself(
    training_files: Files, torchrun: Callable[..., Torchrun]
) -> None:
    torchrun("no such module", status=2)
    with pytest.raises(StormdrawError, match=r"^model small: .* status 2: no such module$"):
        start(training_files("one"), devices=2)
    torchrun("[default1]:no such driver", "W1201 torchrun: sending SIGTERM", status=1)
    with pytest.raises(StormdrawError, match=r"^model small: .* status 1: no such driver$"):
        start(training_files("one"), devices=2)


def test_an_interruption_asks_the_processes_to_save(
    training_files: Files, torchrun: Callable[..., Torchrun]
) -> None:
    """Python's own handlers are there again afterwards."""
    before = signal.getsignal(signal.SIGINT)
    interrupted = torchrun("interrupted", status=1)
    with pytest.raises(KeyboardInterrupt):
        start(training_files("one"), devices=2)
    assert interrupted.sent == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_training_that_ended_well_in_spite_of_a_signal_is_done(
    training_files: Files, torchrun: Callable[..., Torchrun]
) -> None:
    ended_well = torchrun("interrupted")
    start(training_files("one"), devices=2)
    assert ended_well.sent == [signal.SIGTERM]


def test_a_thread_can_train_as_well(
    training_files: Files, torchrun: Callable[..., Torchrun]
) -> None:
    """Only a main thread may handle signals."""
    raised: list[BaseException] = []

    def training() -> None:
        try:
            start(files, devices=2)
        except BaseException as error:
            raised.append(error)

    started, files = torchrun(), training_files("one")
    thread = threading.Thread(target=training)
    thread.start()
    thread.join()
    assert not raised
    assert started.command
