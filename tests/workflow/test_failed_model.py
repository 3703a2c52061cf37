"""One model of two cannot be trained: the others go on, and the run says how to score them."""

import pytest
import yaml
from small_experiment import CONFIG, MODEL, Experiment


@pytest.fixture
def doomed(finished, tmp_path) -> Experiment:
    """The finished experiment and a second model, whose loss soon overflows."""
    experiment = finished.copy(tmp_path / "checkout")
    model = {**MODEL, "training": {**MODEL["training"], "learning_rate": 1e30}}
    experiment.model_path.with_stem("doomed").write_text(yaml.safe_dump(model))
    system = {"name": "doomed", "method": "diffusion", "model": "doomed", "steps": 3}
    ensembles = {**CONFIG["ensembles"], "systems": [*CONFIG["ensembles"]["systems"], system]}
    experiment.configure({**CONFIG, "models": ["small", "doomed"], "ensembles": ensembles})
    return experiment


def test_a_failed_model_is_named_with_the_way_to_score_the_others(doomed):
    checkpoint = "results/models/doomed/model.pt"
    run = doomed.snakemake(checkpoint)
    assert run.returncode != 0
    (advice,) = [line for line in run.stdout.splitlines() if line.startswith("stormdraw: ")]
    assert "not trained: doomed." in advice
    assert "comment out" in advice
    assert not (doomed.folder / checkpoint).exists()
    # As advised: nothing of the others is made again.
    doomed.configure(CONFIG)
    run = doomed.snakemake("--dry-run")
    assert run.returncode == 0, run.stdout
    assert "Nothing to be done" in run.stdout
