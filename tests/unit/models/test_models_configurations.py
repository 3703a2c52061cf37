"""Every shipped configuration: its size, and that it learns."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stormdraw.configuration import configuration_of_file
from stormdraw.ensembles.models import check_systems, load_models
from stormdraw.fields.statistics import Statistics
from stormdraw.models.forcings import channels_of
from stormdraw.models.memory import model_without_data, training_memory
from stormdraw.models.pairs import Batch
from stormdraw.models.plan import plan
from stormdraw.models.settings import DrivenBy, ModelSettings, load_model_settings
from stormdraw.models.training import new_model
from stormdraw.roles import Roles
from stormdraw.settings import load_settings, load_yaml

SEVEN = Roles(predicted=("REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN"))

# (parameters, how far off they may be): the original recipe's where it states them, else ours.
PARAMETERS = {
    "ddpm_ultra_minimal": (81_111, 0.0),
    "ddpm_small": (180_799, 0.0),
    "ddpm_residual": (81_111 + 4 * 16, 0.0),
    "ddpm_reference": (81_111, 0.0),
    "ddpm_medium": (50_034_503, 0.01),
    "ddpm_11m": (11.4e6, 0.01),
    "ddpm_28m": (27.8e6, 0.01),
    "ddpm_50m": (50e6, 0.01),
    "ddpm_111m": (111e6, 0.01),
    "crps_unet": (78_727, 0.0),
    "crps_unet_large": (1_316_263, 0.0),
    "crps_unet_history": (359_599, 0.0),
    "crps_demo": (335_855, 0.0),
    "crps_idaho": (335_855, 0.0),
    "crps_attention": (465_459, 0.0),
    # Without a run, without what drives it and without inputs.
    "crps_conus": (38_114_554, 0.0),
    "edm_conus": (81_702_442, 0.0),
    "crps_unet_driven": (359_599, 0.0),
    "crps_unet_large_driven": (1_316_263, 0.0),
    "crps_unet_aloft": (359_599, 0.0),
    "cnn_transformer": (6_052_679, 0.0),
    "cnn_transformer_small": (1_520_039, 0.0),
    "gnn": (6_130_183, 0.0),
    "transformer_13b": (13.14e9, 0.005),
    "transformer_90m": (90e6, 0.02),
    "transformer_small": (969_664, 0.0),
    "downscaler": (256_000, 0.05),
    "def_perturbation": (81_111, 0.0),
}
TRAINED_HERE = sorted(set(PARAMETERS) - {"transformer_13b"})


def configuration(root: Path, name: str) -> ModelSettings:
    return load_model_settings(root / "config" / "models" / f"{name}.yaml")


def test_every_configuration_is_tested(root: Path) -> None:
    shipped = {path.stem for path in (root / "config" / "models").glob("*.yaml")}
    # What the twin experiment takes away from others has no network of its own.
    assert {name for name in shipped if not name.startswith("ablation_")} == set(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(root: Path, name: str) -> None:
    model = model_without_data(configuration(root, name), SEVEN)
    count = sum(weights.numel() for weights in model.parameters())
    expected, tolerance = PARAMETERS[name]
    assert abs(count - expected) <= tolerance * expected
    # The file says it, so that nobody has to count.
    assert f"{count:,} parameters" in header(root, name)


def header(root: Path, name: str) -> str:
    """The comment above a configuration, as one line."""
    lines = (root / "config" / "models" / f"{name}.yaml").read_text().splitlines()
    comment = [line for line in lines[: lines.index("")] if line.startswith("#")]
    return " ".join(line.removeprefix("#").strip() for line in comment)


@pytest.mark.parametrize(
    ("name", "undriven", "weights_of_one"),
    [
        ("crps_unet_driven", "crps_unet_history", 24),
        ("crps_unet_large_driven", "crps_unet_large", 32),
    ],
)
def test_driven_and_undriven_differ_in_driving_alone(
    root: Path, name: str, undriven: str, weights_of_one: int
) -> None:
    driven, alone = configuration(root, name), configuration(root, undriven)
    assert driven.forcings == [*alone.forcings, "driving"]
    assert driven.model_copy(update={"forcings": alone.forcings}) == alone
    by = DrivenBy(model="gfs", latency_hours=5, variables=("T2M", "PWAT"))
    with_two = model_without_data(driven.model_copy(update={"driven_by": by}), SEVEN)
    # Those for each of two fields and their age.
    count = sum(weights.numel() for weights in with_two.parameters())
    assert count == PARAMETERS[undriven][0] + 3 * weights_of_one


@pytest.mark.slow
@pytest.mark.parametrize(("recomputed", "gigabytes"), [(1.0, 24), (0.0, 80)])
def test_the_diffusion_model_of_conus_fits_a_gpu_as_planned(
    root: Path, recomputed: float, gigabytes: int
) -> None:
    run, models = configuration_of_file(str(root / "config" / "conus.yaml"), root)
    model = configuration(root, "edm_conus")
    assert (model.training.precision, model.training.crop) == ("bfloat16", None)
    assert model.training.activation_checkpointing == 1.0
    assert model.training.device_memory_gigabytes == 24
    training = model.training.model_copy(update={"activation_checkpointing": recomputed})
    (driven_by,) = {each.driven_by for each in models.values()}
    given = model.model_copy(update={"training": training, "driven_by": driven_by})
    memory = training_memory(given, run.roles, (1059, 1799), validates=True)
    assert 30e6 < memory.parameters < 100e6
    assert memory.peak < gigabytes * 1e9
    assert f"{memory.peak / 1e9:.1f} GB" in header(root, "edm_conus")


@pytest.mark.parametrize("name", PARAMETERS)
def test_opens_with_what_it_is_where_from_and_what_it_costs(root: Path, name: str) -> None:
    assert " Source: " in header(root, name)
    assert " Cost here: " in header(root, name)


def fixed_batch(settings: ModelSettings) -> Batch:
    """A random sample of 16 x 16 points; the next state is near the current one."""
    generator = torch.Generator().manual_seed(1)
    now, change = torch.randn(2, 1, 7, 16, 16, generator=generator)
    earlier = torch.randn(1, settings.history - 1, 7, 16, 16, generator=generator)
    forcings = torch.randn(1, len(channels_of(settings, SEVEN)), 16, 16, generator=generator)
    before = earlier if settings.history > 1 else None
    return Batch(now, 0.5 * now + 0.1 * change, forcings, (), before)


@pytest.mark.parametrize("name", TRAINED_HERE)
def test_loss_falls_on_a_fixed_batch(root: Path, name: str) -> None:
    settings = configuration(root, name)
    zeros, ones = np.zeros(7, dtype=np.float32), np.ones(7, dtype=np.float32)
    statistics = Statistics(SEVEN.predicted, ("identity",) * 7, zeros, ones, zeros, ones)
    model = new_model(name, 0, settings, statistics)
    batch = fixed_batch(settings)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    losses = []
    for step in range(3):
        # The same timesteps and noise each time: what falls is the loss, not luck.
        generator = torch.Generator().manual_seed(2)
        with torch.set_grad_enabled(step < 2):
            loss = model.training_losses(batch, generator).mean()
        losses.append(loss.item())
        if step < 2:
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    assert losses[0] > losses[1] > losses[2]


def test_the_twin_experiment_takes_one_ingredient_away_at_a_time(root: Path) -> None:
    run = load_settings(load_yaml(root / "config" / "twin.yaml"))
    models = load_models(run, lambda name: root / "config" / "models" / f"{name}.yaml")
    check_systems(run, models)
    assert len({init.date() for init in run.initial_times()}) >= 8
    assert list(run.leads) == [1, 3, 6, 12]

    def values(name: str) -> dict[str, Any]:
        sections = models[name].model_dump(exclude={"driven_by"})
        return {
            f"{section}.{key}": value
            for section, content in sections.items()
            for key, value in (content if isinstance(content, dict) else {"": content}).items()
        }

    def changed(name: str, base: str = "ablation_all") -> set[str]:
        ours, theirs = values(name), values(base)
        return {key for key in ours.keys() | theirs if ours.get(key) != theirs.get(key)}

    assert changed("ablation_all", "crps_unet_driven") == {
        *("training.steps", "training.learning_rate", "training.rollout")
    }
    assert changed("ablation_no_rollout") == {"training.steps", "training.rollout"}
    assert changed("ablation_no_spectral") == {"loss.spectral"}
    assert changed("ablation_no_driving") == {"forcings."}
    assert changed("ablation_aloft", "ablation_no_driving") == {"inputs."}
    assert {key.partition(".")[0] for key in changed("ablation_attention")} == {"family", "network"}
    assert models["ablation_aloft"].roles_of(run.roles).input == ("PWAT", "T850", "U700", "V700")
    driven = {name for name, model in models.items() if model.driven}
    assert driven == set(models) - {"ablation_no_driving", "ablation_aloft"}


def test_a_training_of_wave_bands_and_several_hours_is_planned(root: Path) -> None:
    """On a quarter of the twin's grid: more than its weights, and less than a small machine has."""
    run = load_settings(load_yaml(root / "config" / "twin.yaml"))
    model = configuration(root, "crps_unet_history")
    assert model.loss.spectral
    assert model.training.rollout
    planned = plan("crps_unet_history", run, model, (49, 66))
    assert 4 * 4 * 359_599 < planned["training_bytes"]["peak"] < 4e9


def test_our_recipe_of_diffusion_and_the_original_one_differ_in_the_recipe_alone(
    root: Path,
) -> None:
    ours, reference = configuration(root, "ddpm_residual"), configuration(root, "ddpm_reference")
    assert ours.training == reference.training
    assert (ours.family, ours.network) == (reference.family, reference.network)
    assert (reference.prediction, reference.target) == ("noise", "next_state")
