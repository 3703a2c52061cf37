import json
from pathlib import Path

import pytest
from report_run import Run

from stormdraw.errors import StormdrawError
from stormdraw.report.figures.training_curves import draw_training_curves
from stormdraw.report.style import looks, read_label
from stormdraw.report.trainings import read_training


def write(path: Path, epochs: object) -> Path:
    path.write_text(json.dumps({"model": "m", "epochs": epochs}))
    return path


EPOCHS = [
    {
        "epoch": epoch,
        "train_loss": 1.0 / epoch,
        "validation_loss": None,
        "learning_rate": 2e-4,
        "samples_per_second": speed,
        "seconds": 30.0,
        "peak_memory_bytes": memory,
        "device": device,
    }
    for epoch, speed, memory, device in (
        (1, 0.5, 100, "GPU A"),
        (2, 4.0, 300, "CPU"),
        (3, 3.0, 200, "CPU"),
    )
]


def test_a_training_summarises_its_epochs(tmp_path: Path) -> None:
    training = read_training(write(tmp_path / "metrics.json", EPOCHS))
    assert training.train_loss == [1.0, 0.5, pytest.approx(1 / 3)]
    # The first epoch warms up: the median passes over it.
    assert training.samples_per_second == 3.0
    assert training.seconds == 90.0
    assert training.peak_memory_bytes == 300.0
    assert training.device == "GPU A, then CPU"


@pytest.mark.parametrize("content", ["{", '{"epochs": 3}', "[]"])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(StormdrawError, match=r"metrics\.json"):
        read_training(tmp_path / "metrics.json")
    with pytest.raises(StormdrawError, match="run the models stage first"):
        read_training(tmp_path / "none.json")


def test_curves_of_every_model_are_drawn(demo_run: Run, demo_figures: dict[str, Path]) -> None:
    text = demo_figures["training_curves"].read_text()
    for expected in ("ddpm_residual", "ddpm_small", "8 epochs · 3.25 samples/s · on CPU"):
        assert f"<!-- {expected} -->" in text
    # Only one of the two has a validation; only one is sampled by a system.
    assert text.count("<!-- validation -->") == 1
    assert looks(demo_run.settings)["ddpm_residual"].colour.lower() in text.lower()


def test_a_loss_that_is_not_a_number_is_drawn_around(demo_run: Run, tmp_path: Path) -> None:
    epochs = [{**EPOCHS[0], "train_loss": float("nan")}, *EPOCHS[1:]]
    metrics = {"ddpm_residual": write(tmp_path / "metrics.json", epochs)}
    draw_training_curves(demo_run.settings, metrics, tmp_path / "out.svg")
    assert not read_label(tmp_path / "out.svg").gap


def test_no_model_is_a_stated_gap(demo_run: Run, tmp_path: Path) -> None:
    draw_training_curves(demo_run.settings, {}, tmp_path / "none.svg")
    assert read_label(tmp_path / "none.svg").description == "No model was trained in this run."
    unfinished = {"ddpm_residual": write(tmp_path / "metrics.json", [])}
    draw_training_curves(demo_run.settings, unfinished, tmp_path / "unfinished.svg")
    assert read_label(tmp_path / "unfinished.svg").gap
