"""The GPUs of this machine, as listed by the NVIDIA driver's tool."""

import subprocess
from typing import NamedTuple

_FIELDS = "uuid,name,memory.total,driver_version"
_SECONDS_TO_LIST = 60


class Gpu(NamedTuple):
    """One GPU; `mebibytes` is None if it shares the processor's memory."""

    identifier: str
    name: str
    mebibytes: int | None
    driver: str

    def __str__(self) -> str:
        return self.name if self.mebibytes is None else f"{self.name}, {self.mebibytes} MiB"


def listed_gpus() -> list[Gpu]:
    """Every GPU, by slot; empty if there is no driver or it does not respond."""
    query = ["nvidia-smi", f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits"]
    rows = [[part.strip() for part in line.split(",")] for line in lines_of(query)]
    return [
        Gpu(identifier, name, int(memory) if memory.isdigit() else None, driver)
        for identifier, name, memory, driver in (row for row in rows if len(row) == 4)
    ]


def lines_of(command: list[str]) -> list[str]:
    """The lines that a command prints; empty if it fails."""
    try:
        listed = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=_SECONDS_TO_LIST
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.stdout.splitlines() if line.strip()]
