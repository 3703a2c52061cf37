"""Models that were trained elsewhere: found, fetched, and refused if they do not fit."""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from synthetic_hours import VARIABLES, make_model_settings, make_settings, small_grid

from stormdraw.configuration import check_places
from stormdraw.costs.examination import examine
from stormdraw.costs.runtime import minutes_to_draw
from stormdraw.ensembles.models import load_models
from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import read_statistics
from stormdraw.grids import Grid
from stormdraw.model_entries import GivenModel
from stormdraw.models import given
from stormdraw.models.card import card_text
from stormdraw.models.checkpoint import load_model, save_model
from stormdraw.models.given import given_checkpoint, given_settings, take
from stormdraw.models.header import record_of
from stormdraw.models.operations import work_of
from stormdraw.models.plan import write_plan
from stormdraw.models.settings import DrivenBy
from stormdraw.models.training import new_model
from stormdraw.settings import Settings, load_settings

LATER = {"test": {"start": "2026-09-02T00:00", "end": "2026-09-02T06:00"}}
EPOCH = {
    "train_loss": 0.5,
    "validation_loss": 0.25,
    "seconds": 1800.0,
    "device": "a processor",
}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is fetched is kept below the working folder."""
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")


@pytest.fixture
def checkpoint(synthetic: Path, tmp_path: Path) -> Callable[..., Path]:
    """Writes checkpoints; the arguments change the settings of the model."""

    def write(grid: Grid | None = None, longest_lead: int | None = None, **changes: Any) -> Path:
        statistics = read_statistics(synthetic / "statistics.nc")
        model = new_model("original", 5, make_model_settings(**changes), statistics)
        path = tmp_path / "theirs" / "results" / "models" / "small" / "model.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        record = record_of(make_settings(), {"model": "original", "epochs": [EPOCH, EPOCH]})
        grid = grid or small_grid()
        save_model(
            *(path, "original", model, statistics, (1000.0, 250.0), grid, None, longest_lead),
            record,
        )
        return path

    return write


def run_with(checkpoint: str | Path, **more: Any) -> Settings:
    entry = {"name": "small", "checkpoint": str(checkpoint)}
    entry |= {key: more.pop(key) for key in ("sha256", "forecaster") if key in more}
    return make_settings(models=[entry], **more)


def settings_of(run: Settings) -> Any:
    return load_models(run, lambda name: f"no file of {name}")["small"]


def test_a_checkpoint_takes_the_place_of_a_configuration_and_a_training(
    checkpoint: Callable[..., Path],
) -> None:
    run = run_with(checkpoint(), periods=LATER)
    assert settings_of(run) == make_model_settings()
    assert (run.model_names, run.trained_models, run.learning()) == (["small"], [], [])
    assert run.static_fields == ["OROG"]
    with pytest.raises(
        ValueError, match=r"periods\.training is missing, but the model small needs"
    ):
        make_settings(models=["small"], periods=LATER)


def test_the_doctor_asks_no_memory_for_a_training_that_is_done(
    checkpoint: Callable[..., Path], root: Path
) -> None:
    run = run_with(checkpoint(), periods=LATER, archive={"source": "simulated"})
    findings = examine(run, {"small": settings_of(run)}, root)
    (memory,) = (finding for finding in findings if finding.what == "memory")
    assert (memory.state, "training" in memory.found) == ("good", False)


@pytest.mark.parametrize("where", [".", "results", "results/models/small"])
def test_the_folder_of_another_run_will_do(checkpoint: Callable[..., Path], where: str) -> None:
    path = checkpoint()
    run = run_with(path.parents[3] / where)
    assert given_checkpoint(run.given_models["small"]).path == path


def test_what_is_taken_in_is_the_file_byte_by_byte(
    checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    path = checkpoint()
    hashed = hashlib.sha256(path.read_bytes()).hexdigest()
    run = run_with(path, sha256=hashed)
    take(run.given_models["small"], tmp_path / "model.pt")
    assert (tmp_path / "model.pt").read_bytes() == path.read_bytes()
    load_model(tmp_path / "model.pt", torch.device("cpu"), run.roles)


def test_another_hash_is_refused(checkpoint: Callable[..., Path]) -> None:
    with pytest.raises(StormdrawError, match=r"models: small: .*model.pt: has the SHA-256 .*but"):
        settings_of(run_with(checkpoint(), sha256="0" * 64))


def test_a_file_that_changes_while_it_is_read_leaves_nothing(
    checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_with(checkpoint())
    known = given_checkpoint(run.given_models["small"])
    other = given.GivenCheckpoint(known.path, "0" * 64, known.header)
    monkeypatch.setattr(given, "given_checkpoint", lambda entry: other)
    with pytest.raises(StormdrawError, match="changed while it was read"):
        take(run.given_models["small"], tmp_path / "out" / "model.pt")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_checkpoint_is_looked_into_once_until_it_changes(
    checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = checkpoint()
    looked: list[Path] = []
    read = given.read_header

    def counted(path: Path, origin: str) -> Any:
        looked.append(path)
        return read(path, origin)

    monkeypatch.setattr(given, "read_header", counted)
    for _ in range(2):
        assert settings_of(run_with(path)).history == 1
    assert len(looked) == 1
    checkpoint(history=2)
    assert settings_of(run_with(path)).history == 2
    assert len(looked) == 2


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"variables": ["T2M", "D2M"]}, r"was trained for T2M, D2M, CAPE, but .* are T2M, D2M; g"),
        (
            {"leads": [1, 2, 3], "periods": LATER},
            r"forecasts of up to 2 h, .* the longest lead is 3 h",
        ),
        (
            {"archive": {"source": ["aws"], "model": "rrfs"}, "periods": LATER},
            "learnt from hrrr, but archive.model is rrfs",
        ),
        ({"forecaster": "other"}, "has no forecaster, since its target is residual"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    checkpoint: Callable[..., Path], changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(StormdrawError, match=complaint) as error:
        settings_of(run_with(checkpoint(longest_lead=2), **changes))
    assert str(error.value).startswith("models: small: ")
    assert "\n" not in str(error.value)


def test_another_driving_model_is_refused(checkpoint: Callable[..., Path]) -> None:
    by = DrivenBy(model="gfs", latency_hours=5, variables=("T2M",))
    path = checkpoint()
    content = torch.load(path, weights_only=True)
    content["settings"] |= {"forcings": ["driving"], "driven_by": by.model_dump(mode="json")}
    torch.save(content, path)
    with pytest.raises(StormdrawError, match=r"driven by gfs 5 h .*but the run has no driving"):
        settings_of(run_with(path))
    same, other = (
        {"driving": {"model": "gfs", "latency_hours": hours, "variables": ["T2M"]}}
        for hours in (5, 6)
    )
    with pytest.raises(StormdrawError, match=r"but the run has gfs 6 h after its cycle \(T2M\)"):
        settings_of(run_with(path, archive=other))
    assert settings_of(run_with(path, archive=same)).driven_by == by
    # One that is not driven needs no driving, and minds none.
    assert settings_of(run_with(checkpoint(), archive=same)).driven_by is None


def test_a_perturbation_model_may_have_another_forecaster(checkpoint: Callable[..., Path]) -> None:
    path = checkpoint(target="perturbed_state", forecaster="theirs", forcings=[])
    entry = run_with(path, forecaster="ours").given_models["small"]
    assert given_settings(entry, run_with(path)).forecaster == "ours"
    without = entry.model_copy(update={"forecaster": None})
    assert given_settings(without, run_with(path)).forecaster == "theirs"


def test_another_grid_is_refused_before_anything_is_fetched(
    checkpoint: Callable[..., Path],
) -> None:
    grid = small_grid()
    path = checkpoint(grid=Grid(grid.crs, grid.x[::2], grid.y[::2]))
    run = run_with(path)
    models = load_models(run, lambda name: "")
    with pytest.raises(StormdrawError, match=r"models: small was trained on a grid of 6000 x 6000"):
        check_places(run, models, [])


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(StormdrawError, match=r"^models: small: .*not a readable .* take another"):
        settings_of(run_with(tmp_path / "model.pt"))
    with pytest.raises(StormdrawError, match="is neither a file nor the folder of a run"):
        settings_of(run_with(tmp_path / "none"))


def test_the_checkpoint_that_the_run_would_write_is_refused(
    checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkpoint().parents[3])
    with pytest.raises(StormdrawError, match="is what this run would write itself"):
        settings_of(run_with("."))
    with pytest.raises(StormdrawError, match="is what this run would write itself"):
        settings_of(run_with("results/models/small/model.pt"))
    # A forecast writes none: it uses what its folder has trained.
    archive = {"source": ["aws"]}
    forecast = run_with(".", cycle=["2026-09-02T00:00"], periods={}, archive=archive)
    assert settings_of(forecast) == make_model_settings()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of the folder, and what was asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, *_: Any) -> None:
            asked.append(self.path)

        def log_message(self, *_: Any) -> None:
            pass

    serving = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=tmp_path)
    )
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}", asked
    serving.shutdown()
    serving.server_close()


def test_an_address_is_fetched_once(
    checkpoint: Callable[..., Path], served: tuple[str, list[str]], tmp_path: Path
) -> None:
    path, (root, asked) = checkpoint(), served
    address = f"{root}/{path.relative_to(tmp_path)}"
    hashed = hashlib.sha256(path.read_bytes()).hexdigest()
    run = run_with(address, sha256=hashed)
    for _ in range(2):
        assert settings_of(run) == make_model_settings()
    assert len(asked) == 1
    assert given_checkpoint(run.given_models["small"]).path.read_bytes() == path.read_bytes()
    with pytest.raises(StormdrawError, match=f"has the SHA-256 {hashed}, but"):
        settings_of(run_with(address, sha256="0" * 64))
    with pytest.raises(StormdrawError, match=r"cannot be fetched .*404"):
        settings_of(run_with(f"{root}/none.pt", sha256="1" * 64))
    kept = Path("results/.cache/checkpoints")
    assert [path.name for path in kept.glob("*.pt")] == [f"{hashed}.pt"]


def test_an_address_needs_a_hash() -> None:
    with pytest.raises(ValueError, match="give its sha256 as well"):
        run_with("https://example.org/model.pt")


def test_only_a_mapping_with_a_checkpoint_is_one() -> None:
    run = make_settings(models=["a", {"name": "b", "configuration": "b", "forecaster": "a"}])
    assert run.given_models == {}
    dumped = run_with("somewhere/model.pt").model_dump(mode="json")
    assert isinstance(load_settings(dumped).models[0], GivenModel)


def test_the_card_says_what_a_checkpoint_is(checkpoint: Callable[..., Path]) -> None:
    path = checkpoint(longest_lead=2)
    card = dict(
        line.strip().split("  ", 1) for line in card_text(path).splitlines()[1:] if "  " in line
    )
    card = {key: value.strip() for key, value in card.items()}
    assert card["predicted variables"] == ", ".join(VARIABLES)
    assert card["data"] == "hrrr from a simulated archive, lead 0 h"
    training = make_settings().periods.training
    assert training is not None
    assert card["training"].startswith(f"{training.start:%Y-%m-%dT%H:%M}")
    assert card["validation"] == "none"
    assert (card["epochs"], card["cost"]) == ("2", "1 h on a processor")
    assert card["loss"] == "0.5 in training, 0.25 in validation"
    assert card["longest lead"] == "2 h"
    assert card["licence"].startswith("MIT")
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    weights = torch.load(path, weights_only=True)["state_dict"].values()
    assert card["family"] == f"conditional_unet, {sum(w.numel() for w in weights):,} weights"
    # The corners by pyproj of the whole grid.
    longitude, latitude = small_grid().longitude_latitude()
    assert f"latitude {latitude.min():.2f} to {latitude.max():.2f}" in card["grid"]
    assert f"longitude {longitude.min():.2f} to {longitude.max():.2f}" in card["grid"]


def test_the_card_of_a_checkpoint_without_a_record_says_so(checkpoint: Callable[..., Path]) -> None:
    path = checkpoint()
    content = torch.load(path, weights_only=True)
    torch.save({**content, "format": 3, "record": {}}, path)
    lines = card_text(path).splitlines()
    said = {line.split()[0] for line in lines if line.endswith("  not recorded")}
    assert said == {"run", "data", "training", "validation", "epochs"}
    assert not any(line.split()[0] in ("loss", "cost", "longest", "driven") for line in lines)


def test_its_plan_says_nothing_of_a_training(
    checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    path, shape = checkpoint(), (13, 10)
    run = run_with(path, periods=LATER)
    work = work_of(run, settings_of(run), shape, trained=False)
    write_plan(
        "small", run, settings_of(run), shape, tmp_path / "plan.json", None, {"work": work}, False
    )
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert not {"training_bytes", "choices", "devices"} & set(plan)
    assert set(plan["work"]) == {"one_pass"}
    weights = torch.load(path, weights_only=True)["state_dict"].values()
    assert plan["parameters"] == sum(each.numel() for each in weights)
    assert minutes_to_draw({"small": plan}, {"small": 10}, 5) >= 60


def test_a_record_does_not_tell_where_a_folder_lies(tmp_path: Path) -> None:
    run = make_settings(archive={"source": {"mirror": str(tmp_path)}})
    record = record_of(run, {})
    assert record["archive"]["source"] == "mirror"
    assert str(tmp_path) not in json.dumps(record)


def test_settings_of_another_version_are_one_line(checkpoint: Callable[..., Path]) -> None:
    path = checkpoint()
    content = torch.load(path, weights_only=True)
    content["settings"]["unheard_of"] = 1
    torch.save(content, path)
    run = run_with(path)
    with pytest.raises(StormdrawError, match=r"settings are not those of this version \(unheard"):
        given_settings(run.given_models["small"], run)
