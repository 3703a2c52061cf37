"""Two processes train what one does, and leave files that one can read."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from synthetic_hours import VARIABLES, make_model_settings, make_settings

from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.models import launch
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


def run_script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lines: str) -> None:
    """Let the ranks be these lines of Python, which know their `rank` and their `folder`."""
    script = tmp_path / "rank.py"
    head = "import json, os, pathlib, sys, time; rank = int(os.environ['RANK'])\n"
    tell = (
        "def tell(**end):\n"
        "    (folder / f'{rank}').write_text(json.dumps(end))\n"
        "    (folder / f'{rank}').rename(folder / f'end_{rank}.json')\n"
    )
    script.write_text(f"{head}folder = pathlib.Path(sys.argv[1])\n{tell}{lines}\n")
    monkeypatch.setattr(launch, "_RANK", script)


def test_the_end_of_one_rank_is_the_end_of_all(
    training_files: Callable[[str], TrainingFiles], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_script(
        *(monkeypatch, tmp_path),
        "if rank == 0: time.sleep(60)\ntell(kind='error', message='D2M is not a number')\n"
        "sys.exit(1)",
    )
    model = make_model_settings({**TRAINING, "devices": 2})
    files = training_files("one")
    started = time.monotonic()
    with pytest.raises(StormdrawError, match=r"^D2M is not a number$"):
        train_on_devices("small", make_settings(), model, files)
    assert time.monotonic() - started < 30
    assert not list(files.model.parent.iterdir())


@pytest.mark.parametrize(
    ("kind", "message", "error"),
    [
        ("error", "D2M is not a number", StormdrawError),
        ("memory", "too large", MemoryRanOutError),
        ("interrupted", "", KeyboardInterrupt),
    ],
)
def test_what_a_rank_tells_is_raised(
    training_files: Callable[[str], TrainingFiles],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: str,
    message: str,
    error: type[BaseException],
) -> None:
    """One rank, without torchrun, which takes seconds to start."""
    run_script(monkeypatch, tmp_path, f"tell(kind={kind!r}, message={message!r})\nsys.exit(1)")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(
        *(launch, "torchrun"),
        lambda training, folder, threads: [sys.executable, launch._RANK, folder],
    )
    model = make_model_settings({**TRAINING, "devices": 2})
    files = training_files("one")
    with pytest.raises(error, match=f"^{message}$"):
        train_on_devices("small", make_settings(), model, files)
    assert not list(files.model.parent.iterdir())


def test_a_signal_reaches_all_ranks(
    training_files: Callable[[str], TrainingFiles], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each notes the signal and ends without a word; the first one sends it to this process."""
    noted = tmp_path / "noted"
    run_script(
        monkeypatch,
        tmp_path,
        "import signal\n"
        "def note(*_):\n"
        f"    with open({str(noted)!r}, 'a') as stream: print(rank, file=stream)\n"
        "    sys.exit(1)\n"
        "signal.signal(signal.SIGTERM, note)\n"
        "(folder / f'begun_{rank}').touch()\n"
        "while rank == 0 and not (folder / 'begun_1').exists(): time.sleep(0.05)\n"
        f"if rank == 0: os.kill({os.getpid()}, signal.SIGTERM)\n"
        "time.sleep(60)",
    )
    model = make_model_settings({**TRAINING, "devices": 2})
    with pytest.raises(KeyboardInterrupt):
        train_on_devices("small", make_settings(), model, training_files("one"))
    assert sorted(noted.read_text().split()) == ["0", "1"]


def test_ranks_share_threads_talk_over_loopback_unless_told_and_the_first_is_heard(
    training_files: Callable[[str], TrainingFiles],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keys = ("OMP_NUM_THREADS", "GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
    run_script(monkeypatch, tmp_path, f"print(rank, 'has', *(os.environ[k] for k in {keys}))")
    monkeypatch.delenv("GLOO_SOCKET_IFNAME", raising=False)
    monkeypatch.setenv("NCCL_SOCKET_IFNAME", "ib0")
    model = make_model_settings({**TRAINING, "devices": 2})
    with caplog.at_level("INFO", "stormdraw"):
        train_on_devices("small", make_settings(), model, training_files("one"), threads=6)
    assert [line for line in caplog.messages if " has " in line] == ["0 has 3 lo ib0"]


def test_several_nodes_need_a_job_of_slurm(
    training_files: Callable[[str], TrainingFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model_settings({**TRAINING, "nodes": 2})
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(StormdrawError, match="nodes is 2, but this is no job of Slurm"):
        train_on_devices("small", make_settings(), model, training_files("one"))


def test_two_jobs_of_a_node_meet_at_different_ports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    training = make_model_settings({**TRAINING, "nodes": 2}).training
    ports = set()
    for job in ("7", "8"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        command = launch.torchrun(training, tmp_path, 1)
        (place,) = (each for each in command if each.startswith("--rdzv-endpoint="))
        ports.add(place.rpartition(":")[2])
    assert len(ports) == 2


def test_the_processes_of_two_torchruns_meet(
    training_files: Callable[[str], TrainingFiles], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stand-in for srun starts the command twice, as on two nodes; all four processes meet."""
    run_script(monkeypatch, tmp_path, f"open({str(tmp_path)!r} + f'/met_{{rank}}', 'w').close()")
    srun = tmp_path / "srun"
    srun.write_text(
        "#!/bin/sh\n"
        'while [ "${1#--}" != "$1" ]; do shift; done\n'
        '"$@" & "$@"; status=$?; wait $! && exit $status\n'
    )
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    model = make_model_settings({**TRAINING, "batch_size": 4, "devices": 2, "nodes": 2})
    train_on_devices("small", make_settings(), model, training_files("one"))
    assert sorted(path.name for path in tmp_path.glob("met_*")) == [f"met_{i}" for i in range(4)]


@pytest.mark.parametrize("processes", [{"devices": 3}, {"devices": 1, "nodes": 3}])
def test_more_devices_than_samples(processes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="for 3 devices"):
        make_model_settings({**TRAINING, **processes})


def test_a_model_is_split_among_nodes_of_a_device_each() -> None:
    training = make_model_settings({**TRAINING, "nodes": 2, "sharding": "full"}).training
    assert training.processes == 2
