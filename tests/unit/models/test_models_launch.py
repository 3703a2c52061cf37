"""Two processes train what one does, and leave files that one can read."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from synthetic_hours import VARIABLES, make_model_settings, make_settings

from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.models import launch, rank
from stormdraw.models.checkpoint import load_model
from stormdraw.models.launch import train_on_devices
from stormdraw.models.training import train
from stormdraw.models.training_files import TrainingFiles
from stormdraw.roles import Roles

# Seven pairs in batches of two: the last batch leaves the second rank without a sample of its own.
TRAINING = {"epochs": 2, "batch_size": 2, "learning_rate": 1e-3}


def losses(files: TrainingFiles) -> list[float]:
    epochs = json.loads(files.metrics.read_text())["epochs"]
    return [
        loss
        for epoch in epochs
        for loss in (epoch["train_loss"], *epoch["train_loss_by_variable"].values())
    ]


@pytest.mark.parametrize("sharding", [pytest.param("none", marks=pytest.mark.slow), "full"])
def test_two_ranks_learn_what_one_process_learns(
    training_files: Callable[[str], TrainingFiles], sharding: str
) -> None:
    settings, one, two = make_settings(), training_files("one"), training_files("two")
    alone = make_model_settings(TRAINING)
    together = make_model_settings({**TRAINING, "devices": 2, "sharding": sharding})
    train("small", settings, alone, one)
    train_on_devices("small", settings, together, two)
    assert losses(two) == pytest.approx(losses(one), rel=1e-5)
    # Whole weights under the same names, whatever the ranks held of them; they say the same. (Not
    # each is equal: a bias before a norm of one channel has no gradient but rounding errors, which
    # Adam makes as large as any other.)
    first, second = (
        load_model(files.model, torch.device("cpu"), Roles(predicted=VARIABLES)).model
        for files in (one, two)
    )
    assert first.state_dict().keys() == second.state_dict().keys()
    random = torch.Generator().manual_seed(0)
    noisy, condition = (torch.randn(1, n, 13, 10, generator=random) for n in (3, 7))
    with torch.no_grad():
        said = [each.network(noisy, condition, torch.tensor([500])) for each in (first, second)]
    torch.testing.assert_close(said[1], said[0], rtol=1e-3, atol=1e-4)
    assert json.loads(two.metrics.read_text())["device"].startswith("2 x ")


def run_scripts(monkeypatch: pytest.MonkeyPatch, *scripts: str) -> None:
    """Let the ranks be these lines of Python, which find their folder in `folder`."""

    def started(devices: int, folder: Path, threads: int) -> list[subprocess.Popen[str]]:
        head = f"import os, pathlib, sys, time; folder = pathlib.Path({str(folder)!r}); "
        return [
            subprocess.Popen(
                [sys.executable, "-S", "-c", head + script], stderr=subprocess.PIPE, text=True
            )
            for script in scripts
        ]

    monkeypatch.setattr(launch, "_start", started)


WAITS = "time.sleep(60)"


@pytest.mark.parametrize(
    ("scripts", "error", "words"),
    [
        (
            [WAITS, "(folder / 'error_1.txt').write_text('D2M is not a number'); sys.exit(1)"],
            StormdrawError,
            "^D2M is not a number$",
        ),
        (
            [WAITS, "(folder / 'error_1.txt').write_text('too large'); sys.exit(3)"],
            MemoryRanOutError,
            "^too large$",
        ),
        ([WAITS, "sys.exit('no such driver')"], StormdrawError, "process 1 of 2 .*no such driver"),
        (["sys.exit(130)", "sys.exit(130)"], KeyboardInterrupt, ""),
    ],
)
def test_the_end_of_one_rank_is_the_end_of_all(
    training_files: Callable[[str], TrainingFiles],
    monkeypatch: pytest.MonkeyPatch,
    scripts: list[str],
    error: type[BaseException],
    words: str,
) -> None:
    run_scripts(monkeypatch, *scripts)
    model = make_model_settings({**TRAINING, "devices": 2})
    started = time.monotonic()
    with pytest.raises(error, match=words):
        train_on_devices("small", make_settings(), model, training_files("one"))
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StormdrawError("no terrain"), 1),
        (MemoryRanOutError("too large"), launch.MEMORY_RAN_OUT),
        (KeyboardInterrupt(), launch.INTERRUPTED),
    ],
    ids=["error", "memory", "signal"],
)
def test_a_rank_tells_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int
) -> None:
    def failing(*arguments: object) -> None:
        raise error

    model = make_model_settings(TRAINING).model_dump(mode="json")
    paths = dict.fromkeys(set(TrainingFiles.__annotations__) - {"fields", "static"}, "file")
    job = {
        **{"name": "small", "threads": 1, "files": {**paths, "fields": [], "static": None}},
        **{"settings": make_settings().model_dump(mode="json")},
        **{"model_settings": model},
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    monkeypatch.setattr(rank, "train", failing)
    monkeypatch.setattr(rank.distributed, "init_process_group", lambda *how, **options: None)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert rank.main(tmp_path) == status
    said = tmp_path / "error_1.txt"
    assert (said.read_text() if said.exists() else "") == str(error)


def test_more_devices_than_samples() -> None:
    with pytest.raises(ValueError, match="for 3 devices"):
        make_model_settings({**TRAINING, "devices": 3})
