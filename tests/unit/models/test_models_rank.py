"""One process of a training on several devices, without the others."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from synthetic_hours import make_model_settings, make_settings

from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.models import rank
from stormdraw.models.training_files import TrainingFiles

Write = Callable[[Callable[..., None]], None]


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes the job of a second process, which `train` is to do."""

    def write(train: Callable[..., None]) -> None:
        paths = dict.fromkeys(set(TrainingFiles.__annotations__) - {"fields", "static"}, "file")
        written = {
            **{"name": "small", "threads": 1, "files": {**paths, "fields": ["a"], "static": None}},
            **{"settings": make_settings().as_given()},
            **{"model_settings": make_model_settings().model_dump(mode="json")},
        }
        (tmp_path / "job.json").write_text(json.dumps(written))
        monkeypatch.setattr(rank, "train", train)
        monkeypatch.setattr(rank.distributed, "init_process_group", lambda *how, **options: None)
        monkeypatch.setenv("RANK", "1")
        monkeypatch.setenv("LOCAL_RANK", "0")

    loggers = [logging.getLogger(), logging.getLogger("stormdraw")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield write
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StormdrawError("no terrain"), "error"),
        (MemoryRanOutError("too large"), "memory"),
        (KeyboardInterrupt(), "interrupted"),
    ],
    ids=["error", "memory", "signal"],
)
def test_a_rank_tells_how_it_ended(
    tmp_path: Path, job: Write, error: BaseException, kind: str
) -> None:
    def failing(*arguments: object) -> None:
        raise error

    job(failing)
    assert rank.main(tmp_path) == 1
    told = json.loads((tmp_path / "end_1.json").read_text())
    assert told == {"kind": kind, "message": str(error)}


def test_a_rank_trains_waits_for_the_others_and_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Write
) -> None:
    did: list[object] = []

    def train(name: str, settings: object, model: object, files: TrainingFiles, *_: int) -> None:
        did.append(files)

    for what in ("barrier", "destroy_process_group"):
        monkeypatch.setattr(rank.distributed, what, lambda what=what: did.append(what))
    job(train)
    assert rank.main(tmp_path) == 0
    files, *after = did
    assert isinstance(files, TrainingFiles)
    assert (files.fields, files.static, files.model) == ([Path("a")], None, Path("file"))
    assert after == ["barrier", "destroy_process_group"]
    assert not list(tmp_path.glob("end_*"))


@pytest.mark.parametrize(("number", "level"), [(0, logging.INFO), (1, logging.WARNING)])
def test_only_the_first_rank_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Write, number: int, level: int
) -> None:
    levels: list[int] = []
    job(lambda *_: levels.append(logging.getLogger("stormdraw").level))
    monkeypatch.setenv("RANK", str(number))
    for what in ("barrier", "destroy_process_group"):
        monkeypatch.setattr(rank.distributed, what, lambda: None)
    assert rank.main(tmp_path) == 0
    assert levels == [level]
