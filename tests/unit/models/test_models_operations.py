"""Work of a training and a pass, against hand-worked kernels and what is known of a GPU."""

from pathlib import Path
from typing import Any

import pytest
import torch
from synthetic_hours import make_model_settings, make_settings
from torch.nn.functional import conv2d, scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode

from stormdraw.models.gpu_peaks import A100, H100, GpuPeaks
from stormdraw.models.memory import model_of_fake_tensors, one_step, training_memory
from stormdraw.models.operations import (
    CountedKernels,
    Work,
    pass_work,
    step_work,
    training_work,
    work_on,
)
from stormdraw.models.settings import ModelSettings, load_model_settings
from stormdraw.roles import Roles
from stormdraw.variables import DEFAULT_STATE

FULL_GRID = (1059, 1799)
SEVEN = Roles(predicted=DEFAULT_STATE)


def empty(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


@pytest.mark.parametrize(
    ("dtype", "seconds"), [(torch.float32, 2**31 / 82.6e12), (torch.bfloat16, 2**31 / 165.2e12)]
)
def test_a_large_product_is_bound_by_the_peak_of_its_precision(
    dtype: torch.dtype, seconds: float
) -> None:
    left, right = (empty(1024, 1024, dtype=dtype) for _ in range(2))
    with CountedKernels() as counted:
        left @ right
    # 26 or 13 microseconds; moving three matrices of 4 or 2 MiB takes half of it.
    assert work_on(counted.kernels) == Work(
        2**31, pytest.approx(seconds), pytest.approx(3 * seconds)
    )


@pytest.mark.parametrize(
    ("gpu", "half", "tf32", "single", "memory"),
    [(A100, 312e12, 156e12, 19.5e12, 2039e9), (H100, 989.4e12, 494.7e12, 66.9e12, 3350e9)],
)
def test_other_gpus_have_their_published_peaks(
    gpu: GpuPeaks, half: float, tf32: float, single: float, memory: float
) -> None:
    for dtype, as_tf32, peak in (
        (torch.bfloat16, False, half),
        (torch.float32, True, tf32),
        (torch.float32, False, single),
    ):
        left, right = (empty(4096, 4096, dtype=dtype) for _ in range(2))
        with CountedKernels() as counted:
            left @ right
        assert work_on(counted.kernels, gpu, as_tf32).least_gpu_seconds == pytest.approx(
            2**37 / peak
        )
    field = empty(1000, 1000, 100)
    with CountedKernels() as counted:
        field + field
    assert work_on(counted.kernels, gpu).least_gpu_seconds == pytest.approx(3 * 4e8 / memory)


def test_a_model_in_tf32_has_that_peak_on_every_gpu() -> None:
    def seconds(precision: str) -> float:
        network = {"base_channels": 512}
        settings = make_model_settings({"precision": precision}, network=network)
        run = make_settings()
        of_pass = pass_work(run, settings, (64, 64), A100).least_gpu_seconds
        of_step = step_work(settings, run.roles, (64, 64), A100).least_gpu_seconds
        return of_pass + of_step

    # 156e12 operations a second are eight times 19.5e12.
    assert seconds("tf32") < 0.5 * seconds("float32")


def test_a_convolution_of_few_channels_is_bound_by_the_memory() -> None:
    field, kernel = empty(1, 16, 1000, 1000), empty(16, 16, 3, 3)
    with CountedKernels() as counted:
        conv2d(field, kernel, padding=1)
    # 64 MB in and out take 127 microseconds; 4.6e9 operations at the peak would take 56.
    seconds = (2 * 64e6 + 4 * 16 * 16 * 9) / 1008e9
    operations = 2 * 9 * 16 * 16 * 1000 * 1000
    assert work_on(counted.kernels) == Work(
        operations, pytest.approx(seconds), pytest.approx(40 * seconds)
    )


def test_a_small_kernel_takes_its_launch_and_a_view_nothing() -> None:
    field = empty(8, 8)
    with CountedKernels() as counted:
        assert field.reshape(64).device.type == "meta"
        torch.empty_like(field)
        torch.ops.aten._unsafe_view(field, [64])
    assert work_on(counted.kernels) == Work()
    with CountedKernels() as counted:
        field + field
    assert work_on(counted.kernels) == Work(0, pytest.approx(5e-6), pytest.approx(40 * 5e-6))


def test_attention_is_counted() -> None:
    queries = torch.zeros(1, 2, 128, 16, requires_grad=True)
    with CountedKernels() as counted:
        result = scaled_dot_product_attention(queries, queries, queries)
    # Every position with every other, twice.
    product = 2 * 2 * 128 * 128 * 16
    assert work_on(counted.kernels).operations == 2 * product
    with CountedKernels() as counted:
        result.sum().backward()
    # The scores again, and the gradients of both factors of both products.
    assert work_on(counted.kernels).operations == 5 * product


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_operations_of_convolutions_are_those_that_torch_counts(precision: str) -> None:
    settings = make_model_settings({"precision": precision})
    with FlopCounterMode(display=False) as expected:
        training_memory(settings, SEVEN, (40, 56))
    assert step_work(settings, SEVEN, (40, 56)).operations == expected.get_total_flops() > 0


def of_one_sample(root: Path, name: str, shape: tuple[int, int]) -> Work:
    settings = load_model_settings(root / "config" / "models" / f"{name}.yaml")
    return step_work(settings, SEVEN, shape) * (1 / settings.training.batch_size)


@pytest.mark.parametrize(
    ("name", "shape", "samples_a_second"),
    [
        ("ddpm_ultra_minimal", FULL_GRID, 3.3),
        ("ddpm_small", FULL_GRID, 2.8),
        ("ddpm_medium", (265, 450), 1.5),
    ],
)
def test_trainings_known_from_this_gpu_take_what_is_estimated(
    root: Path, name: str, shape: tuple[int, int], samples_a_second: float
) -> None:
    work = of_one_sample(root, name, shape)
    assert work.least_gpu_seconds < 1 / samples_a_second < work.most_gpu_seconds
    assert f"{samples_a_second} samples/s" in (root / f"config/models/{name}.yaml").read_text()


@pytest.mark.slow
def test_a_sample_of_13_billion_parameters(root: Path) -> None:
    work = of_one_sample(root, "transformer_13b", FULL_GRID)
    positions, hidden, layers, wide = 133 * 225, 4400, 56, 17600
    weights = layers * (4 * hidden**2 + 2 * hidden * wide)
    # Products with weights once forward, once more as they are computed again but for the last of a
    # layer, whose result no gradient needs, and twice backward; attention twice 2, then 5.
    products = (8 * weights - 2 * layers * hidden * wide) * positions
    attention = 9 * layers * 2 * positions**2 * hidden
    assert work.operations == pytest.approx(products + attention, rel=0.001)
    # The peak counts, of which such a training reaches a third.
    seconds = work.operations / 165.2e12
    assert seconds < work.least_gpu_seconds < 1.1 * seconds
    assert work.most_gpu_seconds == pytest.approx(3 * seconds, rel=0.001)


def test_the_most_time_is_that_of_what_takes_longest() -> None:
    """A multiple of a whole training covers the kernels of the other kind."""
    wide, field = empty(1024, 1024), empty(8, 8)
    product, addition = 2**31 / 82.6e12, 5e-6
    for additions, most in ((1, 15 * product), (3, 120 * addition)):
        with CountedKernels() as counted:
            for _ in range(5):
                wide @ wide
            for _ in range(additions):
                field + field
        assert work_on(counted.kernels).least_gpu_seconds == pytest.approx(
            5 * product + additions * addition
        )
        assert work_on(counted.kernels).most_gpu_seconds == pytest.approx(most)


def test_the_work_does_not_depend_on_the_number_of_devices() -> None:
    def work(**changes: Any) -> Work:
        settings = make_model_settings({"batch_size": 4, **changes})
        return training_work(make_settings(), settings, (40, 56))

    assert work(devices=2, sharding="full") == work(devices=2, nodes=2) == work()
    assert work(precision="bfloat16") == work(precision="auto")
    assert work(precision="float32").least_gpu_seconds != work().least_gpu_seconds


def test_a_pass_is_in_the_precision_of_the_model() -> None:
    def seconds(precision: str) -> float:
        # Wide enough that the peak counts.
        network = {"base_channels": 512}
        settings: ModelSettings = make_model_settings({"precision": precision}, network=network)
        return pass_work(make_settings(), settings, (64, 64)).least_gpu_seconds

    assert seconds("bfloat16") < 0.75 * seconds("float32")


def test_an_hour_of_a_longer_rollout_takes_what_one_of_two_takes() -> None:
    """Nearly, by six hours counted one by one."""
    settings = make_model_settings(
        {"rollout": {"hours": [6], "steps": [1]}, "precision": "bfloat16"},
        family="stochastic_unet",
        network={"channels": [8, 8]},
        prediction="target",
        loss={"kind": "almost_fair_crps"},
    )
    with model_of_fake_tensors(settings, SEVEN) as model, CountedKernels() as counted:
        one_step(model, settings, (40, 56), 6)
    expected, found = work_on(counted.kernels), step_work(settings, SEVEN, (40, 56), hours=6)
    assert found.operations == pytest.approx(expected.operations, rel=0.01)
    assert found.least_gpu_seconds == pytest.approx(expected.least_gpu_seconds, rel=0.04)


def test_steps_of_a_rollout_count_in_place_of_as_many_of_one_hour() -> None:
    """Seven pairs in batches of two, two an optimizer step: two steps an epoch.

    After two epochs of one hour come two steps of two hours, each hour with a second forward pass:
    a third more.
    """

    def operations(rollout: dict[str, Any] | None) -> float:
        settings = make_model_settings(
            {"rollout": rollout},
            family="stochastic_unet",
            network={"channels": [8, 8]},
            prediction="target",
            loss={"kind": "almost_fair_crps"},
        )
        return training_work(make_settings(), settings, (40, 56)).operations

    alone = operations(None)
    with_rollout = operations({"hours": [2], "steps": [2]})
    # Four steps of one hour; then two of two hours, of 4/3 of the work each.
    assert with_rollout / alone == pytest.approx((4 + 2 * 2 * 4 / 3) / 4, rel=0.05)
