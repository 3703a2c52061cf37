"""config/models/*.yaml: what may stand there, and what an error says."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

from stormdraw.errors import StormdrawError
from stormdraw.models.registry import families, options_of
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


def test_defaults_are_the_original_recipes(root: Path) -> None:
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
    assert "'solar_elevation', 'position', 'terrain', 'land' or 'driving'" in said


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


@pytest.mark.parametrize(
    ("family", "network", "said"),
    [
        ("conditional_unet", "{depth: 3}", ":6: network.depth: unknown key"),
        ("conditional_unet", "{base_channels: 12}", ":6: network.base_channels: .*multiple of 8"),
        ("deep_unet", "{blocks: 2}", ":6: network.channels: Field required"),
        (
            "deep_unet",
            "{channels: [8, wide]}",
            ":6: network.channels.1: Input should be",
        ),
        ("deep_unet", "{channels: 8}", ":6: network.channels: Input should be a valid list"),
        ("deep_unet", "[8, 16]", ":6: network: must have keys of its own, but is .8, 16."),
    ],
)
def test_an_option_that_the_family_does_not_have(
    tmp_path: Path, family: str, network: str, said: str
) -> None:
    text = MINIMAL.replace("conditional_unet", family) + f"network: {network}\n"
    assert re.search(said, message(tmp_path, text))


def test_options_that_a_family_needs_are_asked_for(tmp_path: Path) -> None:
    said = message(tmp_path, MINIMAL.replace("conditional_unet", "deep_unet"))
    assert "network.channels: Field required" in said


def test_a_variable_is_of_a_downscaler(tmp_path: Path) -> None:
    assert "only target: block uses it" in message(tmp_path, MINIMAL + "variable: T2M\n")


def test_configurations_are_read_without_torch(root: Path) -> None:
    """Snakemake reads them for every job of a cluster, and torch takes seconds to import."""
    code = (
        "import sys; from pathlib import Path; from stormdraw.models.settings import *; "
        "[load_model_settings(path) for path in Path('config/models').glob('*.yaml')]; "
        "sys.exit('torch' in sys.modules)"
    )
    environment = {"PYTHONPATH": str(root / "workflow_scripts")}
    assert subprocess.run([sys.executable, "-c", code], cwd=root, env=environment).returncode == 0


@pytest.mark.parametrize("family", families())
def test_a_family_has_options_and_a_network(family: str) -> None:
    network = importlib.import_module(f"stormdraw.models.networks.{family}")
    assert network.Options is options_of(family)
    roles = network.Options.roles
    assert roles
    assert set(roles) <= {"denoiser", "regressor", "generator", "downscaler"}
    classes = ["Network"] if len(roles) == 1 else [role.capitalize() for role in roles]
    assert all(issubclass(getattr(network, name), nn.Module) for name in classes)


def test_changes_need_two_states(tmp_path: Path) -> None:
    assert "history is 1" in message(tmp_path, MINIMAL + "history_as: changes\n")


def test_losses_that_do_not_suit_the_prediction(tmp_path: Path) -> None:
    said = message(tmp_path, MINIMAL + "loss: {kind: mae}\n")
    assert "loss.kind is mae, but a diffusion model" in said
    one_step = MINIMAL.replace("prediction: v", "prediction: target")
    said = message(tmp_path, one_step + "loss: {min_snr_gamma: 5}\n")
    assert "loss.min_snr_gamma weights timesteps" in said
    said = message(tmp_path, MINIMAL + "loss: {bounded: true}\n")
    assert "loss.bounded is for predicted states" in said
    said = message(tmp_path, MINIMAL + "loss: {variable_weights: {RAIN: 2}}\n")
    assert "loss.variable_weights.RAIN" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("loss: {members: 4}\n", "loss: members applies only to kind: almost_fair_crps"),
        ("loss: {alpha: 0.5}\n", "loss: alpha applies only to kind: almost_fair_crps"),
        (
            "training: {steps: 50, warm_up_steps: 50}\n",
            "but steps is 50; give fewer",
        ),
        ("training: {epochs: 1, sharding: full}\n", "but devices is 1; remove it, or give"),
        (
            "family: gnn\nprediction: target\nnoise_schedule: {timesteps: 50}\n",
            "noise_schedule applies only to diffusion models, but prediction is target",
        ),
    ],
)
def test_values_without_effect_are_errors(tmp_path: Path, changes: str, said: str) -> None:
    # Of two lines with one key YAML takes the last.
    assert said in message(tmp_path, MINIMAL + changes)


def test_a_warm_up_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(MINIMAL + "training: {steps: 50, warm_up_steps: 49}\n")
    assert load_model_settings(path).training.warm_up_steps == 49
