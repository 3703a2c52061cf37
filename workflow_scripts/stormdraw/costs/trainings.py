"""Whether this machine has what the models' configurations need, besides memory."""

import os
import shutil
from collections.abc import Iterator, Mapping

import torch

from stormdraw.costs.finding import Finding
from stormdraw.models.settings import ModelSettings

# The compilers that torch.compile tries, unless CXX names one.
_COMPILERS = ("g++", "clang++", "c++")


def check_trainings(models: Mapping[str, ModelSettings]) -> list[Finding]:
    """The models that cannot be trained here, and why.

    Without a GPU nothing is said about several devices: a cluster may have them elsewhere.
    """
    return [
        Finding("problem", f"model {name}", found, to_do)
        for name, model in models.items()
        for found, to_do in _problems(model)
    ]


def _problems(model: ModelSettings) -> Iterator[tuple[str, str]]:
    training = model.training
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if training.precision == "float16" and not gpus:
        yield (
            "only a GPU trains it in float16, and PyTorch sees none",
            "set training.precision to auto",
        )
    if 0 < gpus < training.devices:
        yield (
            f"training.devices asks for {training.devices} GPUs, and PyTorch sees {gpus}",
            "set it to at most that",
        )
    compilers = [os.environ["CXX"]] if "CXX" in os.environ else list(_COMPILERS)
    if training.compile != "none" and not any(map(shutil.which, compilers)):
        yield (
            f"training.compile is {training.compile}, and there is no C++ compiler "
            f"({', '.join(compilers)})",
            "install one, or set training.compile to none",
        )
