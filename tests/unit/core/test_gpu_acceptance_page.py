"""What docs/gpu.md says of the goals, from numbers made up for it."""

import pytest
from benchmarks.gpu_acceptance_page import goals, page


def of(model: str, trainings: dict) -> str:
    """The last cell of a model's row."""
    row = next(line for line in goals(trainings).splitlines() if line.startswith(f"| {model} "))
    return row.split("|")[-2].strip()


@pytest.mark.parametrize(("rate", "verdict"), [(16.6, "reached"), (16.4, "missed")])
def test_a_model_that_ran_is_to_be_five_times_as_fast(rate, verdict):
    slower = {"samples_a_second": 1.0}
    found = {
        "ddpm_ultra_minimal, eager, 24 GB": slower,
        "ddpm_ultra_minimal, compiled, 24 GB": {"samples_a_second": rate},
        "ddpm_small, eager, 24 GB": {"failed": "out of memory"},
    }
    assert of("ddpm_ultra_minimal", found) == verdict
    assert of("ddpm_small", found) == "missed"


@pytest.mark.parametrize(("rate", "verdict"), [(20.1, "reached"), (19.9, "missed")])
def test_a_step_of_the_original_gnn_has_eight_samples(rate, verdict):
    """Eight samples in two seconds, five times as fast."""
    assert of("gnn", {"gnn, eager, 24 GB": {"samples_a_second": rate}}) == verdict


def test_a_model_that_did_not_fit_is_to_train_in_24_gigabytes():
    assert of("ddpm_50m", {"ddpm_50m, eager, 24 GB": {"samples_a_second": 0.1}}) == "reached"
    assert of("ddpm_50m", {"ddpm_50m, eager, 24 GB": {"failed": "out of memory"}}) == "missed"
    # With all of the GPU's memory does not count.
    elsewhere = {"ddpm_50m, eager, whole memory": {"samples_a_second": 9.0}}
    assert of("ddpm_50m", elsewhere) == "missed"


FOUND = {
    **{"date": "2026-12-01", "torch": "2", "python": "3", "cuda": "12", "driver": "1"},
    **{"device": "a GPU", "bytes": 80e9},
    "training": {"gnn, eager, 24 GB": {"samples_a_second": 9.5, "peak": 7e9, "planned": 8e9}},
    "members": {"one step": {"largest": 0.002, "limit": 0.001}},
    "resuming": {"here": {"failed": "out of memory"}},
    "drawing": {"one step": {"seconds": 0.25}},
    "loading": {"small": {"samples_a_second": 4.0, "gpu_utilisation": None}},
}


def test_without_a_gpu_the_page_shows_no_number_of_ours():
    text = page({"measured": False, **FOUND})
    assert "**Not measured**" in text
    assert "5, of which 1 failed" in text
    assert "9.5" not in text


def test_with_a_gpu_it_shows_what_was_found_and_what_failed():
    text = page({"measured": True, **FOUND})
    assert "ot measured**" not in text
    assert "| gnn, eager, 24 GB | 9.5 | 7 | 8 |" in text
    assert "| one step | 0.002 | 0.001 | too far |" in text
    assert "| here | out of memory | out of memory |  |" in text
    assert "| small | 4 | not measured |" in text
