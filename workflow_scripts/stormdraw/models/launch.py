"""Training on several devices, or nodes: torchrun starts and watches a process for each device.

A node is one machine. On several, Slurm starts a torchrun on each node of the job, and these find
each other at the first node.
"""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import train
from stormdraw.models.training_files import TrainingFiles
from stormdraw.models.training_settings import Training
from stormdraw.settings import Settings

logger = logging.getLogger(__name__)

# A script, since a workflow's own cannot be started again: Snakemake runs a copy of it.
_RANK = Path(__file__).resolve().parents[2] / "models_rank.py"
# Seconds in which processes that were asked to stop finish their step and save.
_SECONDS_TO_SAVE = 60
# torchrun's own lines have no such mark.
_OF_RANK = re.compile(r"\[default(\d+)\]:(.*)")


def train_on_devices(
    name: str,
    settings: Settings,
    model_settings: ModelSettings,
    files: TrainingFiles,
    threads: int = 1,
) -> None:
    """Run `train` on as many devices and nodes as the configuration asks for.

    `threads` are those of one node. SIGINT and SIGTERM are forwarded to all processes. Raises what
    `train` raises; if one process fails, torchrun ends the others.
    """
    training = model_settings.training
    if training.processes == 1:
        train(name, settings, model_settings, files, threads)
        return
    logger.info("training %s with %d processes", name, training.processes)
    files.model.parent.mkdir(parents=True, exist_ok=True)
    # Beside the results, which all nodes see.
    with tempfile.TemporaryDirectory(prefix=".ranks_", dir=files.model.parent) as folder:
        job = {
            "name": name,
            "settings": settings.as_given(),
            "model_settings": model_settings.model_dump(mode="json"),
            "files": {
                key: [str(path) for path in value]
                if isinstance(value, list | tuple)
                else value and str(value)
                for key, value in vars(files).items()
            },
            "threads": threads,
        }
        (Path(folder) / "job.json").write_text(json.dumps(job), encoding="utf-8")
        command = torchrun(training, Path(folder).resolve(), threads)
        _run(command, training, Path(folder), name, threads)


def torchrun(training: Training, folder: Path, threads: int) -> list[str]:
    """The command that starts all processes, whose job lies in `folder`."""
    command = [sys.executable, "-m", "torch.distributed.run", "--max-restarts=0"]
    command += [f"--nproc-per-node={training.devices}", f"--nnodes={training.nodes}"]
    command += [f"--shutdown-timeout={_SECONDS_TO_SAVE}", "--tee=3", f"--log-dir={folder}"]
    if training.nodes == 1:
        return [*command, "--standalone", str(_RANK), str(folder)]
    number = os.environ.get("SLURM_JOB_ID")
    if number is None:
        raise StormdrawError(
            f"training.nodes is {training.nodes}, but this is no job of Slurm: run it with "
            "--workflow-profile slurm, or set training.nodes to 1"
        )
    # A port of its own: two trainings may share their first node.
    place = f"{socket.gethostname()}:{20000 + int(number) % 10000}"
    meeting = [f"--rdzv-endpoint={place}", f"--rdzv-id={number}"]
    return [
        *("srun", f"--nodes={training.nodes}", f"--ntasks={training.nodes}"),
        *("--ntasks-per-node=1", f"--cpus-per-task={threads}", "--kill-on-bad-exit=1"),
        *(*command, "--rdzv-backend=c10d", *meeting, str(_RANK), str(folder)),
    ]


def _run(command: list[str], training: Training, folder: Path, name: str, threads: int) -> None:
    """Wait for the end of all processes; raise the error of the first that tells one."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(max(1, threads // training.devices))}
    if training.nodes == 1:
        # They communicate on this machine only.
        environment = {"GLOO_SOCKET_IFNAME": "lo", "NCCL_SOCKET_IFNAME": "lo", **environment}
    # Of the ranks, and of torchrun itself.
    words: dict[bool, list[str]] = {True: [], False: []}
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # So that signals reach it only through this process.
        start_new_session=True,
    )
    with _signals_passed_on(process) as received:
        for line in process.stdout or ():
            found = _OF_RANK.match(line)
            if found and found[1] == "0":
                logger.info("%s", found[2])
            by_rank = found is not None
            words[by_rank] = [*words[by_rank], (found[2] if found else line).strip()][-3:]
        status = process.wait()
    if status == 0:
        return
    _raise_told(folder)
    if received:
        raise KeyboardInterrupt
    last = " ".join(words[True] or words[False]) or "no output"
    raise StormdrawError(f"model {name}: torchrun ended with status {status}: {last}")


def _raise_told(folder: Path) -> None:
    """Raise the error that a process wrote down, if any; others may fail because they lost it."""
    told = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("end_*.json"))]
    kinds = {"memory": MemoryRanOutError, "error": StormdrawError}
    for end in told:
        if end["kind"] in kinds:
            raise kinds[end["kind"]](end["message"])
    if told:
        raise KeyboardInterrupt


@contextmanager
def _signals_passed_on(process: subprocess.Popen[str]) -> Iterator[list[int]]:
    """Forward our signals to torchrun, which forwards them to all; yields those received."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def pass_on(number: int, frame: Any) -> None:
        received.append(number)
        process.send_signal(signal.SIGTERM)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
