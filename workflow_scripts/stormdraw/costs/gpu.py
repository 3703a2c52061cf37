"""GPUs, their driver, and whether PyTorch can use them."""

import math

import torch

from stormdraw.costs.finding import Finding
from stormdraw.costs.machine import gigabytes
from stormdraw.gpus import listed_gpus


def check_gpu(needed: dict[str, int]) -> list[Finding]:
    """The driver's GPUs and PyTorch's; `needed` is in bytes on the device for each model."""
    listed = listed_gpus()
    if not listed:
        return [
            Finding(
                "note",
                "GPU",
                "none that the NVIDIA driver lists",
                "nothing, if a CPU is to train; `make plan` says how long that takes",
            )
        ]
    driver = Finding("good", "driver", listed[0].driver)
    names = "; ".join(map(str, listed))
    if not torch.cuda.is_available():
        built = torch.version.cuda or "no CUDA at all"
        to_do = f"install a PyTorch for this driver: this one ({torch.__version__}) has {built}"
        return [driver, Finding("problem", "GPU", f"{names}, but PyTorch sees none", to_do)]
    findings = [driver, Finding("good", "GPU", names)]
    if len(listed) > 1:
        to_do = "`--workflow-profile workstation`, with gpu= set to their number, uses them all"
        findings.append(Finding("note", "GPU", f"{len(listed)} of them", to_do))
    sizes = [gpu.mebibytes * 2**20 for gpu in listed if gpu.mebibytes is not None]
    for model, size in needed.items():
        if size > min(sizes, default=math.inf):
            to_do = f"lower training.batch_size or set training.crop in config/models/{model}.yaml"
            found = f"training {model} takes {gigabytes(size)} of GPU memory"
            findings.append(Finding("problem", "GPU", found, to_do))
    return findings
