"""The least configuration of a run: one system, and only the keys that must be there."""

from typing import Any

PERSISTENCE = {"method": "baseline", "kind": "persistence"}


def configuration(system: dict[str, Any] = PERSISTENCE, **changes: Any) -> dict[str, Any]:
    """Of a system called `it`, with other values for some keys."""
    config = {
        "title": "one system",
        "periods": {
            "training": {"start": "2026-06-01T00", "end": "2026-06-01T05"},
            "test": {"start": "2026-06-08T00", "end": "2026-06-08T02"},
        },
        "leads": [1, 2],
        "ensembles": {"systems": [{"name": "it", **system}]},
    }
    return config | changes
