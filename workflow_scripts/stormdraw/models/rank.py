"""One process of a training on several devices, which torchrun starts: see launch.py."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import torch
from torch import distributed

import stormdraw  # noqa: F401  (before ecCodes; see its __init__)
from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.files import replacing
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import train
from stormdraw.models.training_files import TrainingFiles
from stormdraw.settings import Settings


def main(folder: Path) -> int:
    """Join the others, train, and return the exit status.

    An error or interruption is written to FOLDER/end_{rank}.json.
    """
    number, device = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("stormdraw").setLevel(logging.INFO if number == 0 else logging.WARNING)
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    files: dict[str, Any] = {
        key: [Path(path) for path in value] if isinstance(value, list) else value and Path(value)
        for key, value in job["files"].items()
    }
    on_gpu = torch.cuda.is_available()
    try:
        if on_gpu and device < torch.cuda.device_count():
            torch.cuda.set_device(device)
        distributed.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
        train(
            job["name"],
            Settings.model_validate(job["settings"]),
            ModelSettings.model_validate(job["model_settings"]),
            TrainingFiles(**files),
            job["threads"],
        )
        distributed.barrier()
    except (StormdrawError, KeyboardInterrupt) as error:
        kind = "error" if isinstance(error, StormdrawError) else "interrupted"
        kind = "memory" if isinstance(error, MemoryRanOutError) else kind
        # torchrun ends this process as soon as another one has ended.
        with replacing(folder / f"end_{number}.json") as temporary:
            temporary.write_text(json.dumps({"kind": kind, "message": str(error)}), "utf-8")
        return 1
    distributed.destroy_process_group()
    return 0
