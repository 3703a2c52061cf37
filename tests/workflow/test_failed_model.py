"""One model of two cannot be trained: a scorecard of the other one, with the gap stated."""

import json

import pytest
import yaml
from small_experiment import CONFIG, MODEL, Experiment

DOOMED = "results/models/doomed/model.pt"


@pytest.fixture(scope="module")
def doomed(finished, tmp_path_factory) -> Experiment:
    """The finished experiment and a second model, whose loss is soon beyond all numbers."""
    experiment = finished.copy(tmp_path_factory.mktemp("doomed") / "checkout")
    training = {**MODEL["training"], "learning_rate": 1e30}
    model = {**MODEL, "training": training}
    experiment.model_path.with_stem("doomed").write_text(yaml.safe_dump(model))
    system = {"name": "doomed", "method": "diffusion", "model": "doomed", "steps": 3}
    ensembles = {**CONFIG["ensembles"], "systems": [*CONFIG["ensembles"]["systems"], system]}
    experiment.configure({**CONFIG, "models": ["small", "doomed"], "ensembles": ensembles})
    return experiment


@pytest.mark.slow
def test_a_failed_training_leaves_a_stated_gap(doomed):
    run = doomed.snakemake()
    assert run.returncode != 0
    assert "with `--config left_out=unfinished` makes the scorecard of what is" in run.stdout
    assert not (doomed.folder / DOOMED).exists()

    run = doomed.snakemake("--config", "left_out=unfinished")
    # It is made, and yet this is not what was asked for.
    assert run.returncode != 0
    told = next(line for line in run.stdout.splitlines() if "stormdraw report_gaps: " in line)
    assert DOOMED in told
    headline = json.loads((doomed.results / "report" / "headline.json").read_text())
    assert {row["system"] for row in headline["scores"]} == {
        system["name"] for system in CONFIG["ensembles"]["systems"]
    }
    assert any("doomed" in gap for gap in headline["left_out"])
    page = (doomed.results / "report" / "scorecard.html").read_text()
    assert f"The model doomed is left out: {DOOMED} was not made" in page
    # Nothing was trained or drawn.
    assert "Training " not in run.stdout
    assert "Sampling " not in run.stdout


def test_a_run_without_what_it_lacks_makes_nothing_of_it(finished, tmp_path):
    """Of the small experiment one system has no ensemble, and the model is not trained."""
    experiment = finished.copy(tmp_path / "checkout")
    (experiment.results / "models" / "small" / "metrics.json").unlink()
    (experiment.results / "ensembles" / "href" / "2026060206.nc").unlink()
    run = experiment.snakemake("--dry-run", "--quiet", "rules", "--config", "left_out=unfinished")
    assert run.returncode == 0, run.stdout
    counted = dict(line.split() for line in run.stdout.splitlines() if len(line.split()) == 2)
    assert {"scores_summary", "report_scorecard", "report_gaps"} <= set(counted)
    assert not {"models_train", "ensembles_sample", "ensembles_reference"} & set(counted)
