"""config/models/*.yaml: what may stand there, and what an error says."""

from pathlib import Path

import pytest

from stormdraw.errors import StormdrawError
from stormdraw.models.registry import build_network, families
from stormdraw.models.settings import load_model_settings

MINIMAL = """
family: conditional_unet
prediction: v
target: residual
training: {epochs: 1}
"""


def message(folder: Path, text: str) -> str:
    """What loading this text says."""
    path = folder / "model.yaml"
    path.write_text(text)
    with pytest.raises(StormdrawError) as error:
        load_model_settings(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    return str(error.value)


def test_every_shipped_configuration_loads(root: Path) -> None:
    paths = sorted((root / "config" / "models").glob("*.yaml"))
    assert {path.stem for path in paths} >= {"ddpm_ultra_minimal", "ddpm_small", "ddpm_residual"}
    for path in paths:
        assert load_model_settings(path).family in families()


def test_reference_recipe(root: Path) -> None:
    for name, base in (("ddpm_ultra_minimal", 16), ("ddpm_small", 24)):
        settings = load_model_settings(root / "config" / "models" / f"{name}.yaml")
        training = settings.training
        assert settings.network == {"base_channels": base}
        assert (settings.prediction, settings.target) == ("noise", "next_state")
        assert (settings.noise_schedule.kind, settings.noise_schedule.timesteps) == ("cosine", 1000)
        assert (training.batch_size, training.accumulation, training.epochs) == (1, 8, 200)
        assert (training.learning_rate, training.checkpoint_every_epochs) == (2e-4, 5)


def test_unknown_key(tmp_path: Path) -> None:
    assert "training.epoch: unknown key" in message(
        tmp_path, MINIMAL.replace("{epochs: 1}", "{epochs: 1, epoch: 2}")
    )


def test_unknown_forcing(tmp_path: Path) -> None:
    said = message(tmp_path, MINIMAL + "forcings: [moon]\n")
    assert "forcings.0" in said
    assert "'hour_of_day', 'solar_elevation' or 'terrain'" in said


def test_forcing_given_twice(tmp_path: Path) -> None:
    assert "give each forcing once" in message(tmp_path, MINIMAL + "forcings: [terrain, terrain]\n")


def test_unknown_family(tmp_path: Path) -> None:
    said = message(tmp_path, MINIMAL.replace("conditional_unet", "resnet"))
    assert "unknown family 'resnet': known ones are block_mlp, cnn_transformer" in said


@pytest.mark.parametrize("length", ["{}", "{epochs: 1, steps: 1}"])
def test_either_epochs_or_steps(tmp_path: Path, length: str) -> None:
    assert "either epochs or steps" in message(tmp_path, MINIMAL.replace("{epochs: 1}", length))


def test_noise_cannot_be_predicted_where_there_is_nothing_else(tmp_path: Path) -> None:
    said = message(tmp_path, MINIMAL.replace("prediction: v", "prediction: noise"))
    assert "largest_beta is 0.999" in said


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StormdrawError, match="no such file"):
        load_model_settings(tmp_path / "none.yaml")


def test_option_the_family_does_not_have() -> None:
    with pytest.raises(StormdrawError, match="conditional_unet: depth: unknown key"):
        build_network("conditional_unet", {"depth": 3}, 7, 7)
    with pytest.raises(StormdrawError, match=r"base_channels.*multiple of 8"):
        build_network("conditional_unet", {"base_channels": 12}, 7, 7)
    with pytest.raises(StormdrawError, match="unknown family 'resnet'"):
        build_network("resnet", {}, 7, 7)


def test_changes_need_two_states(tmp_path: Path) -> None:
    assert "history is 1" in message(tmp_path, MINIMAL + "history_as: changes\n")


def test_losses_that_do_not_suit_the_prediction(tmp_path: Path) -> None:
    said = message(tmp_path, MINIMAL + "loss: {kind: mae}\n")
    assert "loss.kind is mae, but a diffusion model" in said
    one_step = MINIMAL.replace("prediction: v", "prediction: target")
    said = message(tmp_path, one_step + "loss: {min_snr_gamma: 5}\n")
    assert "loss.min_snr_gamma weighs timesteps" in said
    said = message(tmp_path, MINIMAL + "loss: {bounded: true}\n")
    assert "loss.bounded is for predicted states" in said
    said = message(tmp_path, MINIMAL + "loss: {variable_weights: {RAIN: 2}}\n")
    assert "loss.variable_weights.RAIN" in said
