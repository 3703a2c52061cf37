"""Prints what the run will cost: files, bytes to fetch, disk, hours of a GPU, jobs. Writes nothing
but its log."""

import json
import re
import subprocess
import sys
from pathlib import Path

from stormdraw.costs.plan import cost_plan, plan_text
from stormdraw.errors import StormdrawError
from stormdraw.files import scratch
from stormdraw.job import job
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import load_settings


def count_jobs(snakefile: str, config: dict, log: Path) -> dict[str, int]:
    """The jobs that a dry run lists, by rule."""
    with scratch(log) as folder:
        (folder / "config.json").write_text(json.dumps(config))
        file = str(folder / "config.json")
        command = ["--snakefile", snakefile, "--configfile", file, "--nolock"]
        dry_run = subprocess.run(
            [sys.executable, "-m", "snakemake", *command, "--dry-run", "--quiet", "rules"],
            capture_output=True,
            text=True,
        )
    if dry_run.returncode != 0:
        raise StormdrawError(f"`snakemake --dry-run` fails: {' '.join(dry_run.stderr.split())}")
    listed = re.findall(r"^(\w+) +(\d+)$", dry_run.stdout, flags=re.MULTILINE)
    return {rule: int(count) for rule, count in listed if rule not in ("all", "total")}


with job("plan", snakemake.log[0]):
    plan = cost_plan(
        load_settings(snakemake.config),
        {
            name: ModelSettings.model_validate(model)
            for name, model in snakemake.params.models.items()
        },
        count_jobs(snakemake.params.snakefile, snakemake.config, Path(snakemake.log[0])),
        snakemake.params.on_gpu,
    )
    text = plan_text(plan, Path("results"))
    Path(snakemake.log[0]).write_text(text + "\n")
    print(text)
