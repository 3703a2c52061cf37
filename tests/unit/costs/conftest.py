"""A small run whose costs can be worked out by hand."""

import copy

import pytest

from stormdraw.models.settings import load_model_settings

# A crop of 10 x 20 points, six hours to learn from, one case.
CONFIG = {
    "title": "Costs",
    "periods": {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T05:00"},
        "test": {"start": "2026-06-02T00:00", "end": "2026-06-02T02:00"},
    },
    "leads": [1, 2],
    "archive": {"source": ["aws", "nomads"], "reference": "href"},
    "fields": {"crop": {"rows": [0, 10], "columns": [0, 20]}},
    "models": ["ddpm_residual"],
    "ensembles": {
        "members": 4,
        "systems": [
            {"name": "model", "method": "diffusion", "model": "ddpm_residual", "steps": 3},
            {"name": "href", "method": "reference", "kind": "members"},
            {"name": "persistence", "method": "baseline", "kind": "persistence"},
        ],
    },
}


@pytest.fixture
def config():
    return copy.deepcopy(CONFIG)


@pytest.fixture
def models(root):
    return {
        name: load_model_settings(root / "config" / "models" / f"{name}.yaml")
        for name in ("ddpm_residual", "ddpm_ultra_minimal")
    }
