"""Two processes train what one does, and leave files that one can read."""

import json
from collections.abc import Callable

import pytest
import torch
from synthetic_hours import VARIABLES, make_model_settings, make_settings

from stormdraw.errors import StormdrawError
from stormdraw.models.checkpoint import load_model
from stormdraw.models.launch import train_on_devices
from stormdraw.models.training import TrainingFiles, train

# Seven pairs in batches of two: the last batch leaves the second rank without a sample of its own.
TRAINING = {"epochs": 2, "batch_size": 2, "learning_rate": 1e-3}


def losses(files: TrainingFiles) -> list[float]:
    epochs = json.loads(files.metrics.read_text())["epochs"]
    return [
        loss
        for epoch in epochs
        for loss in (epoch["train_loss"], *epoch["train_loss_by_variable"].values())
    ]


@pytest.mark.parametrize("sharding", ["none", "full"])
def test_two_ranks_learn_what_one_process_learns(
    training_files: Callable[[str], TrainingFiles], sharding: str
) -> None:
    settings, one, two = make_settings(), training_files("one"), training_files("two")
    alone = make_model_settings(TRAINING)
    together = make_model_settings({**TRAINING, "devices": 2, "sharding": sharding})
    train("small", settings, alone, one)
    train_on_devices("small", settings, together, two)
    assert losses(two) == pytest.approx(losses(one), rel=1e-5)
    # Whole weights under the same names, whatever the ranks held of them.
    first, second = (
        load_model(files.model, torch.device("cpu"), list(VARIABLES)).model.state_dict()
        for files in (one, two)
    )
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(second[name], first[name], rtol=1e-4, atol=1e-5)
    assert json.loads(two.metrics.read_text())["device"].startswith("2 x ")


def test_an_error_in_a_rank_is_the_error_of_all(
    training_files: Callable[[str], TrainingFiles],
) -> None:
    with pytest.raises(StormdrawError, match=r"is not a number at optimizer step \d+"):
        train_on_devices(
            "small",
            make_settings(),
            make_model_settings({**TRAINING, "learning_rate": 1e30, "devices": 2}),
            training_files("one"),
        )
