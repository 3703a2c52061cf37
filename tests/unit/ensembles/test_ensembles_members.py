"""How many members the files of each kind of system have at most."""

from typing import Any

import pytest

from stormdraw.settings import load_settings


@pytest.mark.parametrize(
    ("system", "members"),
    [
        ({"method": "diffusion", "model": "small"}, 100),
        ({"method": "one_step", "model": "small", "members": 7}, 7),
        ({"method": "baseline", "kind": "persistence"}, 1),
        ({"method": "baseline", "kind": "hrrr"}, 1),
        ({"method": "baseline", "kind": "lagged", "ages": [0, 6, 12]}, 3),
        # Three hours of each of ten days.
        ({"method": "baseline", "kind": "climatology"}, 30),
        ({"method": "baseline", "kind": "climatology", "climatology_members": 20}, 20),
        ({"method": "baseline", "kind": "climatology", "window_hours": 12}, 60),
        ({"method": "reference"}, 14),
        ({"method": "reference", "kind": "products"}, 0),
    ],
)
def test_most_members(system: dict[str, Any], members: int) -> None:
    config = {
        "title": "one system",
        "periods": {
            "training": {"start": "2026-10-01T00:00", "end": "2026-10-10T23:00"},
            "test": {"start": "2026-10-12T00:00", "end": "2026-10-12T01:00"},
        },
        "leads": [1],
        "archive": {"source": ["aws"], "reference": "refs"},
        "models": ["small"],
        "ensembles": {"members": 100, "systems": [{"name": "it", **system}]},
    }
    run = load_settings(config)
    assert run.ensembles.systems[0].most_members(run) == members
