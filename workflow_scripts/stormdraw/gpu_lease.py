"""Gives each job its own GPU on a machine that has several.

Snakemake counts GPUs (`resources: gpu=1`) but does not assign them: by default, all jobs would use
the first. Here a job takes a name that only one process of the machine can hold, one for each GPU:
a Unix socket in the abstract namespace. No file is written, leases of other users and checkouts
count too, and the kernel ends the lease of a process that dies.
"""

import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import Iterator

from stormdraw.errors import StormdrawError
from stormdraw.gpus import lines_of, listed_gpus

logger = logging.getLogger(__name__)

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_NONE = ("", "-1", "NoDevFiles")
# Prints the identifiers of the GPUs visible to CUDA, in its order.
_LIST_AS_CUDA_DOES = """
import torch
for number in range(torch.cuda.device_count()):
    print(f"GPU-{torch.cuda.get_device_properties(number).uuid}")
"""


@contextlib.contextmanager
def gpu_lease(count: int = 1, poll_seconds: float = 1.0) -> Iterator[tuple[str, ...]]:
    """Reserve `count` GPUs for this process, hide all others from CUDA; yield their identifiers.

    If there is no choice (no GPU, one, or as many as Slurm has assigned), nothing changes. Waits
    while others hold too many. Must begin before anything asks CUDA for a device. Raises
    StormdrawError if CUDA_VISIBLE_DEVICES names a GPU that does not exist.
    """
    visible = visible_gpus()
    if len(visible) <= count:
        yield tuple(visible)
        return
    before = os.environ.get(_VISIBLE)
    with contextlib.ExitStack() as held:
        leased = _wait_for(_identifiers(visible), count, poll_seconds, held)
        os.environ[_VISIBLE] = ",".join(leased)
        logger.info("on %s, %d of %d GPUs", ", ".join(leased), count, len(visible))
        try:
            yield leased
        finally:
            os.environ.pop(_VISIBLE, None)
            if before is not None:
                os.environ[_VISIBLE] = before


def visible_gpus() -> list[str]:
    """The GPUs this process may use: their identifiers, or the numbers given to CUDA.

    Raises StormdrawError if CUDA_VISIBLE_DEVICES names a GPU that does not exist.
    """
    chosen = os.environ.get(_VISIBLE)
    if chosen is not None and chosen.strip() in _NONE:
        return []
    present = [gpu.identifier for gpu in listed_gpus()]
    if chosen is None or not present:
        return present
    return [_find(name.strip(), present) for name in chosen.split(",")]


def _find(name: str, present: list[str]) -> str:
    """A number or a partition of a GPU unchanged; else the identifier that begins with `name`."""
    if name.startswith("MIG-") or (name.isdigit() and int(name) < len(present)):
        return name
    matching = [identifier for identifier in present if identifier.startswith(name)]
    if len(matching) != 1:
        raise StormdrawError(
            f"{_VISIBLE} names the GPU {name!r}, which does not exist; there are {len(present)}, "
            "listed by `nvidia-smi -L`"
        )
    return matching[0]


def _identifiers(names: list[str]) -> list[str]:
    """The GPUs by names that all processes of the machine share.

    A number is CUDA's, which counts the fastest GPU first, while `nvidia-smi` counts by slot. A
    separate process asks CUDA, since the first query of a process fixes its visible devices. Raises
    StormdrawError if CUDA does not see all of them.
    """
    if not any(name.isdigit() for name in names):
        return names
    listed = lines_of([sys.executable, "-c", _LIST_AS_CUDA_DOES])
    if len(listed) != len(names):
        raise StormdrawError(
            f"{_VISIBLE} is {','.join(names)}, of which PyTorch sees {len(listed)} GPUs; give each "
            "once, by the identifiers that `nvidia-smi -L` lists, or nothing to use no GPU"
        )
    return listed


def _wait_for(
    visible: list[str], count: int, poll_seconds: float, held: contextlib.ExitStack
) -> tuple[str, ...]:
    """The first `count` free GPUs, all at once, so that two jobs never wait for each other."""
    told = False
    while True:
        with contextlib.ExitStack() as taken:
            leased: list[str] = []
            for name in visible:
                if len(leased) < count and _take(name, taken):
                    leased.append(name)
            if len(leased) == count:
                held.enter_context(taken.pop_all())
                return tuple(leased)
        if not told:
            logger.info("waiting for a GPU: all %d are in use", len(visible))
            told = True
        time.sleep(poll_seconds)


def _take(name: str, taken: contextlib.ExitStack) -> bool:
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        holder.bind(f"\0stormdraw/{name}")
    except OSError:
        holder.close()
        return False
    taken.enter_context(holder)
    return True
