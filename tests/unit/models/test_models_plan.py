"""plan.json: counted by hand, and taken by a training."""

import json
from pathlib import Path
from typing import Any

import pytest
from allocations import largest_allocation
from perturbation_models import forecaster_settings, perturbation_settings
from synthetic_hours import START, make_model_settings, make_settings
from torch.profiler import ProfilerActivity, profile

from stormdraw.errors import StormdrawError
from stormdraw.models.plan import as_planned, plan, write_plan
from stormdraw.models.settings import ModelSettings, load_model_settings
from stormdraw.settings import Settings
from stormdraw.times import hours


@pytest.fixture
def week() -> Settings:
    return make_settings(
        variables=["REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN"],
        periods={
            "training": {"start": START, "end": START + hours(167)},
            "test": {"start": START + hours(200), "end": START + hours(210)},
        },
    )


def test_plan_of_the_demo(week: Settings, residual: ModelSettings) -> None:
    content = plan("ddpm_residual", week, residual, (97, 131))
    # 81,111 and 16 for each of the four forcing channels.
    assert content["parameters"] == 81_111 + 4 * 16
    training = content["training_bytes"]
    assert training["weights"] == training["gradients"] == training["average"] == 4 * 81_175
    assert training["optimizer"] == 2 * training["weights"]
    assert training["data"] == 4 * 7 * 97 * 131 * 168
    assert training["peak"] > training["device_peak"] > training["saved_activations"]
    sampling = content["sampling_bytes"]
    assert sampling["members_at_once"] * sampling["member"] <= 2e9
    assert content["choices"]["data_in_memory"] is True


def test_the_forecaster_counts_besides_its_perturbation_model(week: Settings) -> None:
    forecaster = forecaster_settings()
    model = perturbation_settings()
    alone = plan("def_small", week, model, (97, 131))
    both = plan("def_small", week, model, (97, 131), forecaster)
    own = plan("steady", week, forecaster, (97, 131))
    beside = own["training_bytes"]["weights"] + own["sampling_bytes"]["member"]
    assert both["training_bytes"]["forecaster"] == beside
    assert both["parameters"] == alone["parameters"]
    # Analyses of 168 hours and forecasts from them.
    one = 4 * 7 * 97 * 131 * 168
    assert (alone["training_bytes"]["data"], both["training_bytes"]["data"]) == (one, 2 * one)
    more = both["training_bytes"]["peak"] - alone["training_bytes"]["peak"]
    assert more == beside + one
    assert both["sampling_bytes"]["member"] == max(
        own["sampling_bytes"]["member"], alone["sampling_bytes"]["member"]
    )


def test_the_larger_of_step_and_validation_is_planned(
    root: Path, week: Settings, residual: ModelSettings
) -> None:
    def planned(crop: tuple[int, int] | None, **periods: Any) -> dict[str, int]:
        training = residual.training.model_copy(update={"batch_size": 4, "crop": crop})
        model = residual.model_copy(update={"training": training})
        changed = week.model_copy(update={"periods": week.periods.model_copy(update=periods)})
        return plan("x", changed, model, (265, 450))["training_bytes"]

    def activations(planned: dict[str, int]) -> int:
        held = ("weights", "gradients", "optimizer", "average")
        return planned["device_peak"] - sum(planned[key] for key in held)

    validation = week.periods.test
    # Crops are small beside one whole grid, which the validation takes.
    small = planned((32, 32), validation=validation)
    assert activations(small) == small["validation"] > 10 * small["activations"]
    assert small["peak"] > small["device_peak"]
    # No more grids at once than a batch has points: without gradients that is less.
    whole = planned(None, validation=validation)
    assert activations(whole) == whole["activations"] > whole["validation"] > 0
    without = planned((32, 32))
    assert (without["validation"], activations(without)) == (0, without["activations"])


def test_sharded_tensors_are_gathered_in_the_first_process(
    week: Settings, residual: ModelSettings
) -> None:
    """Files to resume from hold weights, two moments and the average: 16 bytes a parameter."""

    def planned(sharding: str) -> dict[str, int]:
        changes = {"devices": 2, "sharding": sharding}
        training = residual.training.model_copy(update=changes)
        model = residual.model_copy(update={"training": training})
        return plan("x", week, model, (97, 131))["training_bytes"]

    whole, shared = planned("none"), planned("full")
    assert (whole["gathered"], shared["gathered"]) == (0, 16 * 81175)
    device = shared["device_peak"] - whole["device_peak"]
    assert shared["peak"] - whole["peak"] == 2 * device + 16 * 81175


def test_a_training_takes_from_its_plan_what_fits(
    tmp_path: Path, week: Settings, residual: ModelSettings
) -> None:
    def bounded(gigabytes: float, **changes: Any) -> ModelSettings:
        start = {"crop": None, "batch_size": 2, "precision": "float32"}
        bound = {**start, "device_memory_gigabytes": gigabytes, **changes}
        training = residual.training.model_copy(update=bound)
        return residual.model_copy(update={"training": training})

    path = tmp_path / "plan.json"
    write_plan("x", week, bounded(0.02), (97, 131), path)
    content = json.loads(path.read_text())
    verdict = content["device_memory"]
    assert verdict["fits"]
    assert content["training_bytes"]["device_peak"] <= 0.02e9 < verdict["tried"][-2]["peak_bytes"]
    taken = as_planned(bounded(0.02), path, "x")
    assert taken.training.batch_size == 1
    assert (taken.network, taken.training.crop) == (residual.network, None)
    assert taken.training.model_dump(
        mode="json", include={"precision", "activation_checkpointing"}
    ) == {key: content["choices"][key] for key in ("precision", "activation_checkpointing")}
    # The smallest crop of the network does not fit, but that of one of half its width does.
    write_plan("x", week, bounded(0.003), (97, 131), path)
    smaller = as_planned(bounded(0.003), path, "x")
    assert smaller.network == {"base_channels": 8}
    assert smaller.training.crop == (64, 64)
    with pytest.raises(StormdrawError, match=r"\(0\.003\): 0\.00\d+ GB are missing with the smal"):
        write_plan("x", week, bounded(0.003, may_shrink=False), (97, 131), path)
        as_planned(bounded(0.003, may_shrink=False), path, "x")
    # Without a stated memory all stays as it is configured.
    write_plan("x", week, residual, (97, 131), path)
    assert as_planned(residual, path, "x") == residual


def test_plan_allocates_nothing(root: Path, week: Settings) -> None:
    settings = load_model_settings(root / "config" / "models" / "ddpm_ultra_minimal.yaml")
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        content = plan("ddpm_ultra_minimal", week, settings, (1059, 1799))
    assert largest_allocation(profiler) < 1e6
    assert content["parameters"] == 81_111
    # The original recipe's cards have 24 GB.
    assert 2e9 < content["training_bytes"]["device_peak"] < 24e9


def test_written_as_json(tmp_path: Path, week: Settings, residual: ModelSettings) -> None:
    write_plan("ddpm_residual", week, residual, (97, 131), tmp_path / "plan.json")
    content = json.loads((tmp_path / "plan.json").read_text())
    assert content == plan("ddpm_residual", week, residual, (97, 131))


def test_data_beyond_the_bound_are_read_from_disk(week: Settings, residual: ModelSettings) -> None:
    training = residual.training.model_copy(update={"data_gigabytes": 0.01})
    content = plan("x", week, residual.model_copy(update={"training": training}), (97, 131))
    assert content["training_bytes"]["data"] == 0
    assert content["choices"]["data_in_memory"] is False


def test_waiting_batches_hold_every_hour_of_a_rollout(week: Settings) -> None:
    """Two that wait, the one being made and the one in use: each of 1 + 6 states a sample."""

    def batches(rollout: dict[str, Any] | None) -> int:
        model = make_model_settings(
            {"rollout": rollout, "prefetch_batches": 2},
            family="stochastic_unet",
            network={"channels": [8, 8]},
            prediction="target",
            loss={"kind": "almost_fair_crps"},
        )
        counted = plan("small", week, model, (40, 56))["training_bytes"]
        named = ("device_peak", "heap_gaps", "data", "process")
        return int(counted["peak"] - sum(counted[name] for name in named))

    state = 4 * 7 * 40 * 56
    assert batches(None) == 4 * 2 * 2 * state
    assert batches({"hours": [3, 6], "steps": [1, 1]}) == 4 * 7 * 2 * state
