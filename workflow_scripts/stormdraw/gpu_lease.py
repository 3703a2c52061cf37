"""A GPU of its own for each job of a machine that has several.

Snakemake counts GPUs (`resources: gpu=1`) but does not say which one a job has: left alone, all of
them would take the first. A job here takes a name that only one process of the machine can hold,
one for each GPU: a Unix socket of the abstract name space. No file is written, leases of other
users and checkouts count too, and the kernel ends the lease of a process that dies.
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
# The identifiers of the GPUs that CUDA is shown, in its order.
_LIST_AS_CUDA_DOES = """
import torch
for number in range(torch.cuda.device_count()):
    print(f"GPU-{torch.cuda.get_device_properties(number).uuid}")
"""


@contextlib.contextmanager
def gpu_lease(count: int = 1, poll_seconds: float = 1.0) -> Iterator[tuple[str, ...]]:
    """Keep `count` GPUs for this process, and show CUDA no others; yield their identifiers.

    Where there is nothing to choose (no GPU, one, or as many as Slurm has given), they are left as
    they are. Waits while others hold too many. Must begin before anything asks CUDA for a device.
    Raises StormdrawError if CUDA_VISIBLE_DEVICES names a GPU that is not there.
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
    """The GPUs this process may use: their identifiers, or the numbers that CUDA is given.

    Raises StormdrawError if CUDA_VISIBLE_DEVICES names a GPU that is not there.
    """
    chosen = os.environ.get(_VISIBLE)
    if chosen is not None and chosen.strip() in _NONE:
        return []
    present = [gpu.identifier for gpu in listed_gpus()]
    if chosen is None or not present:
        return present
    return [_find(name.strip(), present) for name in chosen.split(",")]


def _find(name: str, present: list[str]) -> str:
    """A number or a part of a GPU as it is; else the identifier that it is the start of."""
    if name.startswith("MIG-") or (name.isdigit() and int(name) < len(present)):
        return name
    matching = [identifier for identifier in present if identifier.startswith(name)]
    if len(matching) != 1:
        raise StormdrawError(
            f"{_VISIBLE} names the GPU {name!r}, which is not there; there are {len(present)}, "
            "listed by `nvidia-smi -L`"
        )
    return matching[0]


def _identifiers(names: list[str]) -> list[str]:
    """The GPUs by names that all processes of the machine know them by.

    A number is CUDA's, which counts the fastest GPU first, while `nvidia-smi` counts by slot. CUDA
    is asked in a process of its own: what a process sees first, it sees for good.
    Raises StormdrawError if CUDA does not see all of them.
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
    """The first `count` GPUs that nobody holds: all at once, so that no two wait for each other."""
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
