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
import subprocess
import time
from collections.abc import Iterator

from stormdraw.errors import StormdrawError

logger = logging.getLogger(__name__)

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_NONE = ("", "-1", "NoDevFiles")
_SECONDS_TO_LIST = 60


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
        leased = _wait_for(visible, count, poll_seconds, held)
        os.environ[_VISIBLE] = ",".join(leased)
        logger.info("on %s, %d of %d GPUs", ", ".join(leased), count, len(visible))
        try:
            yield leased
        finally:
            os.environ.pop(_VISIBLE, None)
            if before is not None:
                os.environ[_VISIBLE] = before


def visible_gpus() -> list[str]:
    """Identifiers of the GPUs this process may use, in the driver's order."""
    chosen = os.environ.get(_VISIBLE)
    if chosen is not None and chosen.strip() in _NONE:
        return []
    present = _present_gpus()
    if chosen is None or not present:
        return present
    return [_identify(name.strip(), present) for name in chosen.split(",")]


def _present_gpus() -> list[str]:
    """What the driver lists; nothing where there is no driver."""
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS_TO_LIST,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.stdout.splitlines() if line.strip()]


def _identify(name: str, present: list[str]) -> str:
    """The identifier of what CUDA_VISIBLE_DEVICES calls by a number or by the start of its own."""
    if name.startswith("MIG-"):
        return name
    if name.isdigit() and int(name) < len(present):
        return present[int(name)]
    matching = [identifier for identifier in present if identifier.startswith(name)]
    if len(matching) != 1:
        raise StormdrawError(
            f"{_VISIBLE} names the GPU {name!r}, which is not there; there are {len(present)}, "
            "listed by `nvidia-smi -L`"
        )
    return matching[0]


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
