"""Training on several devices: this process starts and watches one process for each device.

Each process is `python -m stormdraw.models.rank`. A workflow's script cannot be started again,
since Snakemake runs a copy of it. The environment variables are those of torchrun.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import train
from stormdraw.models.training_files import TrainingFiles
from stormdraw.settings import Settings

logger = logging.getLogger(__name__)

# Exit statuses of a rank.
INTERRUPTED = 130
MEMORY_RAN_OUT = 3
_POLL_SECONDS = 0.1
_LIBRARY = Path(__file__).resolve().parents[2]


def train_on_devices(
    name: str,
    settings: Settings,
    model_settings: ModelSettings,
    files: TrainingFiles,
    threads: int = 1,
) -> None:
    """Run `train` on as many devices of this machine as the configuration asks for.

    Signals are forwarded to all processes. Raises what `train` raises; if one process fails, the
    others are ended.
    """
    devices = model_settings.training.devices
    if devices == 1:
        train(name, settings, model_settings, files, threads)
        return
    logger.info("training %s with %d processes", name, devices)
    with tempfile.TemporaryDirectory(prefix="stormdraw_") as folder:
        job = {
            "name": name,
            "settings": settings.model_dump(mode="json"),
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
        _watch(_start(devices, Path(folder), max(1, threads // devices)), Path(folder), name)


def _start(devices: int, folder: Path, threads: int) -> list[subprocess.Popen[str]]:
    """The processes, each in its own session so that signals reach them only through this one."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(_LIBRARY), os.environ.get("PYTHONPATH", "")])
        ),
        "WORLD_SIZE": str(devices),
        "LOCAL_WORLD_SIZE": str(devices),
        "OMP_NUM_THREADS": str(threads),
        # They communicate on this machine only.
        "GLOO_SOCKET_IFNAME": "lo",
        "NCCL_SOCKET_IFNAME": "lo",
    }
    return [
        subprocess.Popen(
            [sys.executable, "-m", "stormdraw.models.rank", str(folder)],
            env={**environment, "RANK": str(number), "LOCAL_RANK": str(number)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for number in range(devices)
    ]


def _watch(processes: list[subprocess.Popen[str]], folder: Path, name: str) -> None:
    """Wait for all, forwarding their output and our signals; end the rest when one fails."""
    last_words: dict[int, list[str]] = {number: [] for number in range(len(processes))}
    readers = [
        threading.Thread(target=_pass_on, args=(process.stderr, last_words[number], number == 0))
        for number, process in enumerate(processes)
    ]
    for reader in readers:
        reader.start()
    try:
        with _signals_passed_on(processes):
            while any(process.poll() is None for process in processes):
                if any(process.poll() for process in processes):
                    break
                time.sleep(_POLL_SECONDS)
    finally:
        _end(processes)
        for reader in readers:
            reader.join()
    failed = [number for number, process in enumerate(processes) if process.returncode != 0]
    if not failed:
        return
    # A process with its own message is the cause; others may fail because they lost it.
    for number in failed:
        message = folder / f"error_{number}.txt"
        if message.exists():
            ran_out = processes[number].returncode == MEMORY_RAN_OUT
            kind = MemoryRanOutError if ran_out else StormdrawError
            raise kind(message.read_text(encoding="utf-8"))
    if any(processes[number].returncode == INTERRUPTED for number in failed):
        raise KeyboardInterrupt
    # A negative status means a signal, such as ours to processes that wait for the failed one.
    first = next((number for number in failed if processes[number].returncode > 0), failed[0])
    words = " ".join(last_words[first][-3:])
    raise StormdrawError(
        f"model {name}: process {first} of {len(processes)} ended with status "
        f"{processes[first].returncode}: {words or 'no output'}"
    )


def _end(processes: list[subprocess.Popen[str]]) -> None:
    """Give the remaining processes time to finish a common step, then end them."""
    limit = time.monotonic() + 20.0
    while any(process.poll() is None for process in processes) and time.monotonic() < limit:
        if any(process.returncode not in (None, 0, INTERRUPTED) for process in processes):
            break
        time.sleep(_POLL_SECONDS)
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


def _pass_on(stream: IO[str] | None, kept: list[str], is_first: bool) -> None:
    for line in stream or ():
        kept.append(line.rstrip())
        del kept[:-20]
        if is_first:
            logger.info("%s", line.rstrip())


@contextmanager
def _signals_passed_on(processes: list[subprocess.Popen[str]]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def pass_on(number: int, frame: Any) -> None:
        for process in processes:
            if process.poll() is None:
                process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
