"""How a device computes, and how states and weights lie in its memory."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from stormdraw.models import devices
from stormdraw.models.devices import (
    autocast,
    choose_device,
    lightning_precision,
    multiplication_precision,
    native_half,
    resolve_precision,
    uses_channels_last,
)

GPU = torch.device("cuda", 0)


def rounded() -> tuple[str, bool]:
    """How products of matrices and convolutions treat float32."""
    return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32


@pytest.mark.filterwarnings("ignore:.*CUDA is not available")
@pytest.mark.parametrize("within", [autocast, multiplication_precision])
def test_only_tf32_rounds_products_to_ten_bits(within: Any) -> None:
    before = rounded()
    with within("tf32", GPU):
        assert rounded() == ("high", True)
        # As of two models that take turns.
        with within("float32", GPU):
            assert rounded() == ("highest", False)
        assert rounded() == ("high", True)
    assert rounded() == before
    with pytest.raises(ZeroDivisionError), within("tf32", GPU):
        raise ZeroDivisionError
    assert rounded() == before
    # A processor has no such numbers, and its own setting means something else.
    with within("tf32", torch.device("cpu")):
        assert rounded() == before


def test_tf32_is_float32_but_for_products() -> None:
    cpu = torch.device("cpu")
    assert resolve_precision("tf32", cpu) == "float32"
    assert lightning_precision("tf32", cpu) == lightning_precision("tf32", GPU) == "32-true"
    with autocast("tf32", cpu):
        assert not torch.is_autocast_enabled("cpu")
    with autocast("bfloat16", cpu):
        assert torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(
    ("native", "half", "auto"), [(True, "bfloat16", "bfloat16"), (False, "float16", "float32")]
)
def test_bfloat16_is_for_gpus_that_compute_it(
    monkeypatch: pytest.MonkeyPatch, native: bool, half: str, auto: str
) -> None:
    monkeypatch.setattr(devices, "_computes_bfloat16", lambda device: native)
    assert (native_half(GPU), resolve_precision("auto", GPU)) == (half, auto)
    cpu = torch.device("cpu")
    assert (native_half(cpu), resolve_precision("auto", cpu)) == ("bfloat16", "float32")


def test_a_gpu_times_its_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == torch.device("cpu")
    assert not torch.backends.cudnn.benchmark
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device(1) == torch.device("cuda", 1)
    assert torch.backends.cudnn.benchmark


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "expandable_segments:True"),
        ({"PYTORCH_ALLOC_CONF": "max_split_size_mb:64"}, "max_split_size_mb:64"),
        ({"PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:64"}, "None"),
    ],
    ids=str,
)
def test_memory_of_a_gpu_grows_without_gaps_unless_a_site_says_otherwise(
    given: dict[str, str], expected: str
) -> None:
    library = str(Path(devices.__file__).resolve().parents[2])
    environment = {k: v for k, v in os.environ.items() if not k.endswith("ALLOC_CONF")}
    script = "import os, sys, stormdraw; assert 'torch' not in sys.modules; "
    script += "print(os.environ.get('PYTORCH_ALLOC_CONF'))"
    told = subprocess.run(
        [sys.executable, "-c", script],
        env={**environment, "PYTHONPATH": library, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == expected


@pytest.mark.parametrize(("processor", "expected"), [("AVX512", True), ("AVX2", False)])
def test_channels_last_where_it_is_faster(
    processor: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: processor)
    cpu, gpu = torch.device("cpu"), torch.device("cuda", 0)
    assert uses_channels_last("auto", cpu) is expected
    assert uses_channels_last("auto", gpu)
    assert uses_channels_last(True, cpu)
    assert not uses_channels_last(False, gpu)
