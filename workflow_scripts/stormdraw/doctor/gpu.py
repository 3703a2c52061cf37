"""GPUs, their driver, and whether PyTorch can use them."""

import subprocess

import torch

from stormdraw.doctor.finding import Finding
from stormdraw.doctor.machine import gigabytes

_FIELDS = "name,memory.total,driver_version"


def check_gpu(needed: dict[str, int]) -> list[Finding]:
    """The driver's GPUs and PyTorch's; `needed` is in bytes on the device for each model."""
    listed = list_gpus()
    if not listed:
        return [
            Finding(
                "note",
                "GPU",
                "none that the NVIDIA driver lists",
                "nothing, if a CPU is to train; `snakemake plan` says how long that takes",
            )
        ]
    driver = Finding("good", "driver", listed[0][2])
    names = ", ".join(f"{name} ({megabytes / 1024:.0f} GiB)" for name, megabytes, _ in listed)
    if not torch.cuda.is_available():
        built = torch.version.cuda or "no CUDA at all"
        to_do = f"install a PyTorch for this driver: this one ({torch.__version__}) has {built}"
        return [driver, Finding("problem", "GPU", f"{names}, but PyTorch sees none", to_do)]
    findings = [driver, Finding("good", "GPU", names)]
    if len(listed) > 1:
        to_do = "`--workflow-profile workstation`, with gpu= set to their number, uses them all"
        findings.append(Finding("note", "GPU", f"{len(listed)} of them", to_do))
    smallest = min(megabytes for _, megabytes, _ in listed) * 2**20
    for model, size in needed.items():
        if size > smallest:
            to_do = f"lower training.batch_size or set training.crop in config/models/{model}.yaml"
            found = f"training {model} takes {gigabytes(size)} of GPU memory"
            findings.append(Finding("problem", "GPU", found, to_do))
    return findings


def list_gpus() -> list[tuple[str, int, str]]:
    """(name, MiB of memory, version of the driver) of each GPU that the driver's own tool lists."""
    try:
        listed = subprocess.run(
            ["nvidia-smi", f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[part.strip() for part in line.split(",")] for line in listed.stdout.splitlines()]
    return [(row[0], int(row[1]), row[2]) for row in rows if len(row) == 3]
