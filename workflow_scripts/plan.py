"""Prints the costs of a run before anything is fetched: `make plan`. Writes nothing."""

import re
import subprocess
import sys
from pathlib import Path

from stormdraw.configuration import configuration_of_file
from stormdraw.errors import StormdrawError

CHECKOUT = Path(__file__).parent.parent


def start_dry_run(config: str) -> subprocess.Popen[str]:
    """A dry run of Snakemake, which counts the jobs still to run by rule."""
    command = ["--snakefile", str(CHECKOUT / "Snakefile"), "--configfile", config, "--nolock"]
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", *command, "--dry-run", "--quiet", "rules"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def count_jobs(dry_run: subprocess.Popen[str]) -> dict[str, int]:
    """The number of jobs by rule. Raises StormdrawError with Snakemake's message if it fails."""
    listed, said = dry_run.communicate()
    if dry_run.returncode != 0:
        raise StormdrawError(f"`snakemake --dry-run` fails: {' '.join(said.split())}")
    rows = re.findall(r"^(\w+) +(\d+)$", listed, flags=re.MULTILINE)
    return {rule: int(count) for rule, count in rows if rule not in ("all", "total")}


def rules_on_gpu() -> set[str]:
    """The rules whose scripts, which have the same names, use a GPU."""
    scripts = Path(__file__).parent.glob("*_*.py")
    return {path.stem for path in scripts if "gpu_lease(" in path.read_text(encoding="utf-8")}


def main(config: str) -> None:
    settings, models = configuration_of_file(config, CHECKOUT)
    with start_dry_run(config) as dry_run:
        # Imported here, since PyTorch takes seconds to load while Snakemake counts the jobs.
        from stormdraw.costs.plan import cost_plan, plan_text
        from stormdraw.costs.submissions import submissions

        plan = cost_plan(settings, models)
        jobs = count_jobs(dry_run)
    on_gpu = sum(count for rule, count in jobs.items() if rule in rules_on_gpu())
    profile = CHECKOUT / "profiles" / "slurm" / "config.yaml"
    sent = submissions(jobs, profile, CHECKOUT / "rules", len(settings.compared_cases()))
    print(plan_text(plan, sum(jobs.values()), on_gpu, sent, Path("results")))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except StormdrawError as error:
        sys.exit(f"stormdraw plan: {error}")
