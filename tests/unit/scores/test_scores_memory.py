"""Hand-worked memory of scoring."""

from typing import Any

import pytest

from stormdraw.scores.memory import grid_points, scoring_megabytes
from stormdraw.settings import Settings, load_settings


def settings(**changes: Any) -> Settings:
    config = {
        "title": "a full grid",
        "periods": {
            "training": {"start": "2026-06-01T00:00", "end": "2026-06-10T23:00"},
            "test": {"start": "2026-06-12T00:00", "end": "2026-06-12T01:00"},
        },
        "leads": [1],
        "archive": {"source": ["aws"]},
        "models": ["small"],
        "ensembles": {
            "members": 100,
            "systems": [
                {"name": "small", "method": "diffusion", "model": "small"},
                {"name": "climatology", "method": "baseline", "kind": "climatology"},
                {"name": "hrrr", "method": "baseline", "kind": "hrrr"},
            ],
        },
    }
    return load_settings(config | changes)


def test_a_hundred_members_on_the_full_grid() -> None:
    """1,905,141 points: two blocks of 100 float32 are 1.52 GB, all else 1.7 GB."""
    assert grid_points(settings()) == 1059 * 1799
    each = 2 * 4 * 100 + 7 * 8 * 1 + 500 + 32
    assert scoring_megabytes(settings()) == (600_000_000 + each * 1059 * 1799) // 10**6 + 1
    assert 2500 < scoring_megabytes(settings()) < 4000


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ({"fields": {"crop": {"rows": [10, 20], "columns": [0, 30]}}}, 300),
        ({"archive": {"simulated": {"rows": [480, 500], "columns": [880, 910]}}}, 600),
    ],
)
def test_a_small_grid_asks_for_little(changes: dict[str, Any], points: int) -> None:
    assert grid_points(settings(**changes)) == points
    assert scoring_megabytes(settings(**changes)) <= 602
