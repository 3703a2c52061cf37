"""One process of a training on several devices: `python -m stormdraw.models.rank FOLDER`."""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import torch
from torch import distributed

import stormdraw  # noqa: F401  (before ecCodes; see its __init__)
from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.models.launch import INTERRUPTED, MEMORY_RAN_OUT
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import train
from stormdraw.models.training_files import TrainingFiles
from stormdraw.settings import Settings


def main(folder: Path) -> int:
    """Join the others and train; on an error, write its message to FOLDER/error_{rank}.txt."""
    number, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("stormdraw").setLevel(logging.INFO if number == 0 else logging.WARNING)
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    files: dict[str, Any] = {
        key: [Path(path) for path in value] if isinstance(value, list) else value and Path(value)
        for key, value in job["files"].items()
    }
    on_gpu = torch.cuda.is_available()
    try:
        if on_gpu and count <= torch.cuda.device_count():
            torch.cuda.set_device(number)
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if on_gpu else "gloo",
            init_method=f"file://{folder / 'meeting'}",
            rank=number,
            world_size=count,
        )
        train(
            job["name"],
            Settings.model_validate(job["settings"]),
            ModelSettings.model_validate(job["model_settings"]),
            TrainingFiles(**files),
            job["threads"],
        )
        distributed.barrier()
    except StormdrawError as error:
        (folder / f"error_{number}.txt").write_text(str(error), encoding="utf-8")
        return MEMORY_RAN_OUT if isinstance(error, MemoryRanOutError) else 1
    except KeyboardInterrupt:
        return INTERRUPTED
    distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    # Exit at once: a process group that others have left may block in its destructor.
    status = main(Path(sys.argv[1]))
    sys.stderr.flush()
    os._exit(status)
