"""A workflow on the cluster of these tests, in the background."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slurm_cluster import SlurmCluster
from small_experiment import Experiment


@dataclass(frozen=True)
class StartedWorkflow:
    """`snakemake`, and the file of what it says."""

    process: subprocess.Popen[bytes]
    output: Path

    def require_running(self) -> None:
        """Raises AssertionError with what it said if it has ended."""
        assert self.process.poll() is None, self.output.read_text()

    def require_success(self, seconds: float) -> None:
        """Wait for its end. Raises AssertionError with what it said if it failed."""
        assert self.process.wait(timeout=seconds) == 0, self.output.read_text()


@contextmanager
def started_workflow(
    cluster: SlurmCluster, experiment: Experiment, *arguments: str
) -> Iterator[StartedWorkflow]:
    """As a user would type it, with a closer look for this small machine.

    What is left of it at the end of the block, jobs included, is ended.
    """
    looking = ("--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "5")
    slurm = ("--workflow-profile", "slurm", "--slurm-status-command", "squeue")
    command = experiment.command(*slurm, *looking, "--slurm-keep-successful-logs", *arguments)
    output = experiment.folder / "output.txt"
    with open(output, "w") as stream:
        snakemake = subprocess.Popen(
            command,
            cwd=experiment.folder,
            env=experiment.environment(),
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        yield StartedWorkflow(snakemake, output)
    finally:
        if snakemake.poll() is None:
            # It would wait for its jobs.
            snakemake.kill()
            snakemake.wait()
            cluster.ask("scancel", "--user=root")
