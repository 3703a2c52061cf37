"""The operations of a run, against hand-worked sums and runs that were measured."""

import pytest
from diffusion_run import diffusion_run

from stormdraw.costs.computing import OPERATIONS_A_SECOND_ON_CORE, Computing, computing
from stormdraw.costs.fetching import wanted_files
from stormdraw.models.operations import Work
from stormdraw.models.settings import ModelSettings, load_model_settings
from stormdraw.settings import load_settings


def test_operations_of_the_full_grid_are_those_that_hours_of_cores_rest_on(config, models):
    del config["fields"]
    config["models"] = ["ddpm_ultra_minimal"]
    config["ensembles"]["systems"][0]["model"] = "ddpm_ultra_minimal"
    training = models["ddpm_ultra_minimal"].training.model_copy(update={"precision": "float32"})
    models["ddpm_ultra_minimal"] = models["ddpm_ultra_minimal"].model_copy(
        update={"training": training}
    )
    counted = computing(load_settings(config), models)
    # The reference's step is 375 GFLOP, of which a third is the forward pass. Enlarging within the
    # convolution takes 4 products of 32 by 16 channels a point instead of 9.
    forward = 125e9 - (9 - 4) * 2 * 32 * 16 * 1060 * 1800
    # 200 epochs of 5 pairs, as whole windows of 8: 200 steps.
    assert counted.training.operations / (200 * 8) == pytest.approx(3 * forward, rel=0.01)
    assert counted.sampling.operations / (4 * 2 * 3) == pytest.approx(forward, rel=0.01)


def test_calibration_counts_what_is_tried_and_the_twin(config, models):
    """Of one diffusion model two amplitudes are tried and a mixture: 3 x 2 members x 1 case; then
    four members of the one case that is scored, twice."""
    config["periods"] = {
        "training": {"start": "2026-05-31T00:00", "end": "2026-05-31T05:00"},
        "validation": {"start": "2026-06-01T00:00", "end": "2026-06-01T02:00"},
        "test": config["periods"]["test"],
    }
    plain = computing(load_settings(config), models).sampling
    config["ensembles"] |= {"calibration_members": 2, "calibration_amplitudes": [1.25]}
    config["ensembles"]["systems"][0]["calibrate"] = True
    calibrated = computing(load_settings(config), models).sampling
    assert plain.operations > 0
    assert calibrated.operations / plain.operations == pytest.approx((3 * 2 + 2 * 4) / 4)


def test_the_method_def_counts_both_branches_every_walk_and_its_forecaster(config, models, root):
    steady = {
        **{"family": "gnn", "network": {"latent": 8, "layers": 1}, "training": {"steps": 1}},
        **{"prediction": "target", "target": "residual"},
    }
    path = root / "config" / "models" / "def_perturbation.yaml"
    models["steady"] = ModelSettings.model_validate(steady)
    models["crossed"] = load_model_settings(path).model_copy(update={"forecaster": "steady"})
    crossed = {"name": "crossed", "configuration": "def_perturbation", "forecaster": "steady"}

    def counted(*names, **system):
        config["models"] = list(names)
        config["ensembles"]["systems"][0] = {"name": "model", **system}
        return computing(load_settings(config), models).sampling.operations

    def perturbed(**changes):
        how = {"method": "def", "model": "crossed", "steps": 3}
        return counted("steady", crossed, **how, **changes)

    forecasts = counted("steady", method="one_step", model="steady")
    # The network is that of ddpm_ultra_minimal; at w = 1 a step is one pass of it, else two.
    twin = {"method": "diffusion", "model": "ddpm_ultra_minimal", "steps": 3}
    passes = counted("ddpm_ultra_minimal", **twin)
    # Alone, the deterministic forecaster draws one member, not four.
    assert perturbed(guidance=1.0) == pytest.approx(passes + 4 * forecasts)
    assert perturbed(walks=2) == pytest.approx(4 * passes + 4 * forecasts)


def test_ddpm_residual_takes_about_as_long_as_it_did(root, models):
    settings = load_settings(diffusion_run(root))
    counted = computing(settings, models)
    # 144 s to train, and 25 s a case to sample in six steps, on two cores.
    steps = settings.ensembles.system("ddpm_residual").steps
    measured = 5 * 25 * steps / 6
    two_cores = 2 * OPERATIONS_A_SECOND_ON_CORE
    assert counted.training.operations / two_cores == pytest.approx(144, rel=0.5)
    assert counted.sampling.operations / two_cores == pytest.approx(measured, rel=0.9)
    assert max(counted.gpu_hours) < counted.core_hours


def test_downscaling_is_counted_with_what_it_fetches(config, root):
    """33 x 50 points are 2 x 3 whole blocks of 16. For each the network has four dense layers of
    256 x 256 and one of 7 x 256, with two operations a weight."""
    path = root / "config" / "models" / "downscaler_d2m.yaml"
    fine = {"name": "fine", "method": "downscale", "models": ["downscaler_d2m"], "steps": 5}
    config["fields"]["crop"] = {"rows": [0, 33], "columns": [0, 50]}
    config["models"] = ["downscaler_d2m"]
    config["leads"] = [2]
    config["ensembles"]["systems"] = [fine]
    config["archive"]["reference"] = None
    settings = load_settings(config)
    counted = computing(settings, {"downscaler_d2m": load_model_settings(path)})
    blocks = 4 * 1 * 2 * 3  # members, leads, rows, columns
    weights = 4 * 256 * 256 + 7 * 256
    assert counted.sampling.operations == pytest.approx(5 * blocks * 2 * weights, rel=0.01)
    assert set(wanted_files(settings)) == {"hrrr", "static", "hrrr_forecast"}
    fine["source"] = "reference"
    config["archive"]["reference"] = "href"
    assert len(wanted_files(load_settings(config))["href"]) == 10


def test_hours():
    cores = Work(operations=3600 * OPERATIONS_A_SECOND_ON_CORE)
    counted = Computing(training=Work(0, 1800, 7200) + cores, sampling=Work(0, 1800, 3600) + cores)
    assert counted.gpu_hours == pytest.approx((1, 3))
    assert counted.core_hours == pytest.approx(2)
