"""A training on several nodes is a job of its own kind, which asks the cluster for them."""

import copy
from pathlib import Path

import yaml
from small_experiment import MODEL, check_out, planned, set_up


def test_a_training_on_two_nodes_is_started_by_srun(tmp_path: Path) -> None:
    experiment = set_up(check_out(tmp_path / "checkout"))
    model = copy.deepcopy(MODEL)
    model["training"] |= {"nodes": 2, "batch_size": 2}
    experiment.model_path.write_text(yaml.safe_dump(model))
    jobs = planned(experiment, "results/models/small/model.pt")
    assert jobs["models_train_on_nodes"] == 1
    assert "models_train" not in jobs
