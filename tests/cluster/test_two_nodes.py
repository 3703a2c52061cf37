"""A training on two nodes, one of which dies: Slurm starts the job again, and it goes on."""

import copy
import json
import re
from pathlib import Path

import yaml
from slurm_cluster import SlurmCluster, wait_until
from small_experiment import MODEL, Experiment, check_out, set_up
from started_workflow import started_workflow

EPOCHS = 120
MODEL_FILE = "results/models/small/model.pt"


def log_of(experiment: Experiment) -> str:
    """What all tries of the training said."""
    folder = experiment.folder / ".snakemake" / "slurm_logs" / "rule_models_train_on_nodes"
    return "\n".join(path.read_text() for path in sorted(folder.rglob("*.log")))


def test_a_training_goes_on_when_one_of_its_nodes_dies(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    experiment = set_up(check_out(tmp_path / "checkout"))
    model = copy.deepcopy(MODEL)
    model["training"] |= {
        **{"epochs": EPOCHS, "checkpoint_every_epochs": 2, "batch_size": 2, "nodes": 2}
    }
    experiment.model_path.write_text(yaml.safe_dump(model))
    metrics = experiment.results / "models" / "small" / "metrics.json"
    # A processor of each node in place of a GPU.
    on_nodes = ("slurm_partition=both", "gpu=0")
    arguments = [
        *("--set-threads", "models_train_on_nodes=1"),
        *("--set-resources", *(f"models_train_on_nodes:{each}" for each in on_nodes)),
        *("--", MODEL_FILE),
    ]
    with started_workflow(cluster, experiment, *arguments) as workflow:

        def trains() -> bool:
            workflow.require_running()
            return metrics.exists() and len(json.loads(metrics.read_text())["epochs"]) > 4

        wait_until(trains, 400, "epoch 5")
        (job,) = cluster.jobs_of("models_train_on_nodes")
        assert job["NumNodes"] == "2"
        cluster.fail_node("n2")
        workflow.require_success(1200)
    job = cluster.jobs_of("models_train_on_nodes")[-1]
    assert job["Restarts"] == "1"
    assert len(re.findall(r"resuming from \S+", log_of(experiment))) == 1
    written = json.loads(metrics.read_text())
    assert written["device"].startswith("2 x ")
    assert [epoch["epoch"] for epoch in written["epochs"]] == list(range(1, EPOCHS + 1))
