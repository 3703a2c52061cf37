"""Whether Slurm is available, and whether profiles/slurm fits it."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import yaml

from stormdraw.costs.finding import Finding


def check_slurm(profile: Path) -> list[Finding]:
    """Whether the profile's partitions exist on the cluster, and how job states can be queried."""
    if shutil.which("sinfo") is None:
        to_do = "nothing on a laptop or workstation; on a cluster start on its login node"
        return [Finding("note", "Slurm", "not here", to_do)]
    listed = _ask("sinfo", "--noheader", "--format=%R %G")
    if listed is None:
        to_do = "`sinfo` says why; the cluster's administrators know"
        return [Finding("problem", "Slurm", "installed, but does not answer", to_do)]
    findings = []
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        to_do = "pip install --requirement envs/requirements-slurm.txt"
        findings.append(Finding("problem", "Slurm", "Snakemake's plug-in is not installed", to_do))
    gres = dict(line.split(maxsplit=1) for line in listed.splitlines() if line.strip())
    text = ", ".join(f"{name} ({what})" for name, what in gres.items())
    text = text.replace(" ((null))", "")
    findings.append(Finding("good", "Slurm", f"partitions: {text}"))
    absent = sorted(_partitions(yaml.safe_load(profile.read_text(encoding="utf-8"))) - set(gres))
    if absent:
        found = f"{profile} names {', '.join(absent)}, which the cluster does not have"
        to_do = f"edit the lines marked SITE in {profile}"
        findings.append(Finding("problem", "Slurm", found, to_do))
    if _ask("sacct", "--noheader", "--allocations") is None:
        findings.append(
            Finding(
                "note",
                "Slurm",
                "keeps no accounts: `sacct` does not answer",
                f"set slurm-status-command: squeue in {profile}",
            )
        )
    return findings


def _partitions(profile: dict) -> set[str]:
    """Every partition that a profile sends jobs to."""
    given = [profile.get("default-resources") or {}, *(profile.get("set-resources") or {}).values()]
    named = [resources.get("slurm_partition", "") for resources in given]
    return {name for text in named for name in re.split(r"[,\s]+", str(text)) if name}


def _ask(*command: str) -> str | None:
    """A command's output, or None if it fails."""
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout
