"""What a run does without, and how it is found out."""

from pathlib import Path

import pytest
from small_experiment import CONFIG

from stormdraw.errors import StormdrawError
from stormdraw.left_out import LeftOut
from stormdraw.settings import Settings, load_settings
from stormdraw.unfinished import unfinished

INITS = ("2026060200", "2026060206")


def names(settings: Settings) -> list[str]:
    return [system.name for system in settings.ensembles.systems]


def test_a_model_takes_its_systems_with_it() -> None:
    given = {"models": {"small": "its loss is not a number"}}
    settings = load_settings({**CONFIG, "left_out": given})
    assert settings.models == []
    assert names(settings) == ["href", "href_mean_spread", "persistence", "climatology", "perfect"]
    assert settings.scores.reference == "href"
    assert settings.gaps().sentences() == [
        "The model small is left out: its loss is not a number.",
        "The system small is left out: it draws from the model small.",
    ]


def test_without_its_reference_there_is_none() -> None:
    config = {**CONFIG, "report": {"products_of": "href"}}
    settings = load_settings({**config, "left_out": {"systems": {"href": "no files"}}})
    assert settings.models == ["small"]
    assert settings.scores.reference is None
    assert settings.report.products_of is None


def test_the_result_is_a_configuration_of_its_own() -> None:
    # A training hands it to the processes that share a batch.
    settings = load_settings({**CONFIG, "left_out": {"models": {"small": "why"}}})
    assert Settings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("left_out", "complaint"),
    [
        ({"models": {"smal": "why"}}, r"left_out.models: smal is not .* \(small\)"),
        ({"systems": {"refs": "why"}}, "left_out.systems: refs is not one of the run's systems"),
        ({"systems": {s["name"]: "gone" for s in CONFIG["ensembles"]["systems"]}}, "no system"),
        ("everything", "left_out"),
    ],
)
def test_what_cannot_be_left_out(left_out: object, complaint: str) -> None:
    with pytest.raises(StormdrawError, match=complaint):
        load_settings({**CONFIG, "left_out": left_out})


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The files of a finished run, as far as they tell that it is finished."""
    for name in ("model.pt", "metrics.json", "calibration_small.json"):
        write(tmp_path / "models" / "small" / name)
    for system in CONFIG["ensembles"]["systems"]:
        for init in INITS:
            write(tmp_path / "ensembles" / system["name"] / f"{init}.nc")
    return tmp_path


SETTINGS = load_settings(CONFIG)


def test_a_finished_run_lacks_nothing(results: Path) -> None:
    assert unfinished(SETTINGS, results) == LeftOut()


def test_a_failed_training_is_told_with_its_error(results: Path) -> None:
    (results / "models" / "small" / "model.pt").unlink()
    error = "stormdraw models_train: model small: the loss is not a number"
    write(results / "logs" / "models_train" / "small.log", f"2026 INFO begun\n{error}\n")
    found = unfinished(SETTINGS, results)
    assert found.systems == {}  # it goes with its model
    assert list(found.models) == ["small"]
    assert "small/model.pt was not made" in found.models["small"]
    assert error in found.models["small"]


def test_a_case_without_an_ensemble_is_told(results: Path) -> None:
    (results / "ensembles" / "href" / f"{INITS[1]}.nc").unlink()
    assert unfinished(SETTINGS, results).systems == {
        "href": f"{results}/ensembles/href/{INITS[1]}.nc was not made: its job did not begin"
    }
    # A job that was killed leaves a log without an error.
    log = results / "logs" / "ensembles_reference" / "href" / f"{INITS[1]}.log"
    write(log, "2026 INFO begun\n")
    assert f"{log} names no error" in unfinished(SETTINGS, results).systems["href"]


def test_a_system_without_its_calibration_is_unfinished(results: Path) -> None:
    (results / "models" / "small" / "calibration_small.json").unlink()
    error = "stormdraw ensembles_calibrate: no memory"
    write(results / "logs" / "ensembles_calibrate" / "small" / "small.log", error)
    found = unfinished(SETTINGS, results)
    assert found.models == {}
    assert error in found.systems["small"]
