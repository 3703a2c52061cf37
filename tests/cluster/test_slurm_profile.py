"""The workflow through profiles/slurm, on a real Slurm.

The small experiment with one case, so that each rule runs once or a few times. Its training is long
enough to be taken from its node twice: by Slurm, which starts the same job again, and by its user,
after which Snakemake sends another one that asks for twice as much.
"""

import copy
import json
import re
from dataclasses import dataclass

import pytest
import yaml
from slurm_cluster import SlurmCluster, wait_until
from small_experiment import CONFIG, MODEL, Experiment, check_out, planned
from started_workflow import StartedWorkflow, started_workflow

from stormdraw.costs.submissions import submissions

EPOCHS = 300
SLURM_LOGS = ".snakemake/slurm_logs"


@dataclass
class Run:
    """What Slurm said of the training's job: at first, when requeued, and of the one after it."""

    experiment: Experiment
    first: dict[str, str]
    requeued: dict[str, str]
    resubmitted: dict[str, str]


@pytest.fixture(scope="module")
def run(cluster: SlurmCluster, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Start the workflow, disturb its training twice, and wait for its end."""
    experiment = check_out(tmp_path_factory.mktemp("run") / "checkout")
    config = copy.deepcopy(CONFIG)
    config["periods"]["test"]["end"] = "2026-06-02T02:00"
    # The first system of each method.
    systems = {system["method"]: system for system in reversed(config["ensembles"]["systems"])}
    config["ensembles"]["systems"] = list(systems.values())
    experiment.configure(config)
    model = copy.deepcopy(MODEL)
    model["training"] |= {"epochs": EPOCHS, "checkpoint_every_epochs": 1000}
    experiment.model_path.write_text(yaml.safe_dump(model))
    # With fewer threads for this small machine.
    threads = ("models_train=1", "models_diagnose=1", "ensembles_sample=1")
    with started_workflow(cluster, experiment, "--set-threads", *threads) as workflow:
        return disturbed(cluster, experiment, workflow)


def disturbed(cluster: SlurmCluster, experiment: Experiment, workflow: StartedWorkflow) -> Run:
    def trains_beyond(epochs: int) -> None:
        def there() -> bool:
            workflow.require_running()
            return epochs_done(experiment) > epochs

        wait_until(there, 400, f"epoch {epochs + 1}")

    # What Snakemake knows of a training that was stopped is deleted; the first metrics after it
    # went on hold all epochs again.
    trains_beyond(5)
    first = cluster.jobs_of("models_train")[-1]
    cluster.ask("scontrol", "requeue", first["JobId"])
    # Slurm itself waits for two minutes before it starts a requeued job.
    wait_until(lambda: len(resumptions(experiment)) == 1, 300, "the requeued training to go on")
    trains_beyond(10)
    requeued = cluster.jobs_of("models_train")[-1]
    cluster.ask("scancel", requeued["JobId"])
    wait_until(lambda: len(resumptions(experiment)) == 2, 200, "another job to go on")
    resubmitted = cluster.jobs_of("models_train")[-1]
    workflow.require_success(1200)
    return Run(experiment, first, requeued, resubmitted)


def epochs_done(experiment: Experiment) -> int:
    metrics = experiment.results / "models" / "small" / "metrics.json"
    return len(json.loads(metrics.read_text())["epochs"]) if metrics.exists() else 0


def training_log(experiment: Experiment) -> str:
    """What all tries of the training said, in their order."""
    folder = experiment.folder / SLURM_LOGS / "rule_models_train"
    logs = sorted(folder.rglob("*.log"), key=lambda path: int(path.stem))
    return "\n".join(path.read_text() for path in logs)


def minutes_of(job: dict[str, str]) -> int:
    """The time limit of a job that asks for less than a day."""
    hours, minutes, _ = job["TimeLimit"].split(":")
    return 60 * int(hours) + int(minutes)


def resumptions(experiment: Experiment) -> list[str]:
    return re.findall(r"resuming from \S+", training_log(experiment))


def test_it_ends_with_a_scorecard(run):
    assert (run.experiment.results / "report" / "scorecard.html").stat().st_size > 10_000


def test_what_trains_and_samples_has_the_gpu_and_what_is_planned(run):
    assert run.first["Partition"] == "gpu"
    assert run.first["NodeList"] == "n2"
    assert "gpu" in run.first["TresPerJob"]
    assert run.first["Requeue"] == "1"
    plan = json.loads((run.experiment.results / "models" / "small" / "plan.json").read_text())
    megabytes = plan["training_bytes"]["peak"] // 10**6 + 1
    assert run.first["MinMemoryNode"] == f"{megabytes}M"
    # An hour, and twice the most that a GPU is estimated to take: of the little model minutes.
    on_gpu = plan["work"]["training"]["most_gpu_seconds"] / 60
    assert 60 < minutes_of(run.first) == 60 + round(2 * on_gpu) < 100


def test_slurm_starts_a_requeued_training_again(run):
    assert run.requeued["JobId"] == run.first["JobId"]
    assert run.requeued["Restarts"] == "1"


def test_a_cancelled_training_comes_again_and_asks_for_more(run):
    assert run.resubmitted["JobId"] != run.first["JobId"]
    assert minutes_of(run.resubmitted) == 2 * minutes_of(run.first)
    memory = [int(job["MinMemoryNode"].rstrip("M")) for job in (run.first, run.resubmitted)]
    assert memory[1] == 2 * memory[0]


def test_the_training_went_on_where_it_was(run):
    metrics = run.experiment.results / "models" / "small" / "metrics.json"
    epochs = [epoch["epoch"] for epoch in json.loads(metrics.read_text())["epochs"]]
    assert epochs == list(range(1, EPOCHS + 1))
    log = training_log(run.experiment)
    stopped = [int(step) for step in re.findall(r"stopped at optimizer step (\d+); saved", log)]
    assert len(stopped) == 2
    assert 0 < stopped[0] < stopped[1]
    assert len(resumptions(run.experiment)) == 2


def test_only_fetching_stays_on_the_login_node_and_short_jobs_go_together(run):
    sent = {path.name for path in (run.experiment.folder / SLURM_LOGS).iterdir()}
    stages = set(planned(run.experiment, "--forceall"))
    assert {"models_train", "ensembles_sample"} <= stages
    # A group's folder names all of its rules.
    groups = [name for name in sent if name.startswith("group_")]
    together = {stage for stage in stages if any(stage in name for name in groups)}
    assert {"fields_normalise", "ensembles_take", "scores_case", "report_products"} <= together
    alone = {name.removeprefix("rule_") for name in sent}
    assert stages - alone - together == {"archive_fetch"}
    # Days of analyses, those of the reference, and the one case.
    assert len(groups) == 3


def test_slurm_gets_as_many_jobs_as_are_planned(run):
    """As `make plan` counts them, and the training that was sent once more."""
    sent = list((run.experiment.folder / SLURM_LOGS).rglob("*.log"))
    profile = run.experiment.folder / "profiles" / "slurm" / "config.yaml"
    rules = run.experiment.folder / "rules"
    jobs = planned(run.experiment, "--forceall")
    assert len(sent) == submissions(jobs, profile, rules, cases=1) + 1 < sum(jobs.values())


def test_nothing_is_left_to_do(run):
    again = run.experiment.snakemake("--dry-run")
    assert "Nothing to be done" in again.stdout, again.stdout
