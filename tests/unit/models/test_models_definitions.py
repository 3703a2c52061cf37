"""A model's file that extends another one's."""

import re
from pathlib import Path

import pytest

from stormdraw.errors import StormdrawError
from stormdraw.models.settings import load_model_settings

BASE = """
family: stochastic_unet
network: {channels: [8, 16], displacements: 2}
prediction: target
target: residual
loss: {kind: almost_fair_crps, members: 2}
forcings: [terrain]
training:
  steps: 100
  crop: [16, 16]
  rollout: {hours: [2], steps: [5]}
"""


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)


def test_sections_are_merged_and_lists_replaced(tmp_path: Path) -> None:
    write(
        tmp_path,
        base=BASE,
        middle="extends: base\nforcings: [driving]\ntraining: {steps: 7}\n",
        last="extends: middle\nnetwork: {displacements: 4}\ntraining: {rollout: null}\n",
    )
    model = load_model_settings(tmp_path / "last.yaml")
    assert model.network == {"channels": [8, 16], "displacements": 4}
    assert model.forcings == ["driving"]
    assert (model.training.steps, model.training.crop) == (7, (16, 16))
    assert model.training.rollout is None
    assert load_model_settings(tmp_path / "base.yaml").training.rollout is not None


def test_one_of_the_shipped_models_can_be_extended_from_any_folder(
    tmp_path: Path, root: Path
) -> None:
    write(tmp_path, mine="extends: crps_unet\ntraining: {steps: 77}\n")
    shipped = load_model_settings(root / "config" / "models" / "crps_unet.yaml")
    training = shipped.training.model_copy(update={"steps": 77})
    mine = load_model_settings(tmp_path / "mine.yaml")
    assert mine == shipped.model_copy(update={"training": training})
    write(tmp_path, crps_unet=BASE)
    assert load_model_settings(tmp_path / "mine.yaml").network["channels"] == [8, 16]


@pytest.mark.parametrize("extended", ["model", "other"])
def test_models_that_extend_each_other_are_refused(tmp_path: Path, extended: str) -> None:
    write(tmp_path, model=f"extends: {extended}\n", other="extends: model\n")
    with pytest.raises(StormdrawError, match=r"\w+\.yaml: extends \w+, which extends it in turn$"):
        load_model_settings(tmp_path / "model.yaml")


def test_an_unknown_model_to_extend_is_named(tmp_path: Path) -> None:
    write(tmp_path, model="extends: nothing\n")
    said = re.escape(f"{tmp_path / 'model.yaml'}: extends nothing, but neither its folder nor ")
    with pytest.raises(StormdrawError, match=said):
        load_model_settings(tmp_path / "model.yaml")


def test_an_error_names_the_file_that_has_the_wrong_key(tmp_path: Path) -> None:
    write(tmp_path, base=BASE + "  seps: 3\n", model="extends: base\nloss: {alpha: 7}\n")
    with pytest.raises(StormdrawError) as error:
        load_model_settings(tmp_path / "model.yaml")
    assert f"{tmp_path / 'base.yaml'}:12: training.seps: unknown key" in str(error.value)
    assert f"{tmp_path / 'model.yaml'}:2: loss.alpha" in str(error.value)
