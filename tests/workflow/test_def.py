"""The method def from an empty folder: trainings that wait for each other, and what reruns."""

import copy
import re

import pytest
import xarray as xr
import yaml
from small_experiment import CONFIG

STEADY = {
    "family": "gnn",
    "network": {"latent": 8, "layers": 1},
    "prediction": "target",
    "target": "residual",
    "forcings": ["hour_of_day", "terrain"],
    "training": {"epochs": 2, "batch_size": 4, "accumulation": 1, "ema_decay": 0.9},
}
CROSSED = {"name": "def_steady", "configuration": "perturbing", "forecaster": "steady"}


def planned(experiment) -> dict[str, int]:
    """Rule -> number of jobs a dry run would start."""
    run = experiment.snakemake("--dry-run", "--quiet", "rules")
    assert run.returncode == 0, run.stdout
    jobs = re.findall(r"^(\w+) +(\d+)$", run.stdout, flags=re.MULTILINE)
    return {rule: int(count) for rule, count in jobs if rule not in ("all", "total")}


@pytest.mark.slow
def test_from_an_empty_folder_and_again_after_a_change(experiment):
    config = copy.deepcopy(CONFIG)
    del config["archive"]["reference"]
    config["models"] = ["steady", CROSSED]
    config["ensembles"]["systems"] = [
        {"name": "def_steady", "method": "def", "model": "def_steady", "steps": 3, "walks": 2}
        | {"calibrate": True},
        {"name": "persistence", "method": "baseline", "kind": "persistence"},
    ]
    config["scores"] = {}
    experiment.configure(config)
    steady = experiment.folder / "config" / "models" / "steady.yaml"
    perturbing = steady.with_name("perturbing.yaml")
    shipped = yaml.safe_load(steady.with_name("def_perturbation.yaml").read_text())
    shipped["training"] = STEADY["training"]
    steady.write_text(yaml.safe_dump(STEADY))
    perturbing.write_text(yaml.safe_dump(shipped))

    run = experiment.snakemake()
    assert run.returncode == 0, run.stdout
    drawn = list((experiment.results / "ensembles").glob("def_steady*/*.nc"))
    assert len(drawn) == 4
    for member_file in drawn:
        with xr.open_dataset(member_file) as dataset:
            assert dataset.sizes["member"] == 5
            assert (dataset["T2M"].std("member") > 0).all()
    assert (experiment.results / "models" / "def_steady" / "calibration_def_steady.json").exists()
    assert planned(experiment) == {}

    def after(path, content):
        text = path.read_text()
        training = {**content["training"], "learning_rate": 1e-5}
        path.write_text(yaml.safe_dump({**content, "training": training}))
        try:
            return planned(experiment)
        finally:
            path.write_text(text)

    assert after(steady, STEADY)["models_train"] == 2
    jobs = after(perturbing, shipped)
    assert jobs["models_train"] == 1
    assert (jobs["ensembles_calibrate"], jobs["ensembles_sample"]) == (1, 4)
