"""A corner of the simulated world, small enough for tests: 24 x 32 points in a box of 72 x 80."""

import itertools
from datetime import datetime
from typing import Any

import numpy as np

from stormdraw.settings import Settings
from stormdraw.simulated.domain import Domain, domain_of, terrain
from stormdraw.simulated.noise import Noise
from stormdraw.simulated.state import State
from stormdraw.simulated.surface import Surface
from stormdraw.simulated.world import World

START = datetime(2026, 6, 1)
SEED = 5

DOMAIN: Domain = domain_of((500, 524), (900, 932))
WORLD = World(Surface(DOMAIN, terrain(DOMAIN, SEED)))


def generator(seed: int = SEED) -> np.random.Generator:
    return np.random.default_rng(seed)


def hours_of(world: World, hours: int, seed: int = SEED) -> list[State]:
    """The start and the states of the next hours."""
    stream = generator(seed)
    start = world.start(START, stream)
    return [start, *itertools.islice(world.hourly(start, Noise(stream)), hours)]


def small_settings(**changes: Any) -> Settings:
    """Five hours to learn from, one HREF cycle."""
    config: dict[str, Any] = {
        "title": "a corner of the world",
        "seed": 3,
        "periods": {
            "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T02:00"},
            "test": {"start": "2026-06-01T06:00", "end": "2026-06-01T08:00"},
        },
        "leads": [1, 2],
        "cases": {"every_hours": 6},
        "archive": {
            "source": "simulated",
            "reference": "href",
            "simulated": {"rows": [500, 518], "columns": [900, 921], "spin_up_hours": 2},
        },
        "ensembles": {
            "systems": [
                {"name": "href", "method": "reference"},
                {"name": "perfect", "method": "perfect"},
            ]
        },
    }
    return Settings.model_validate(config | changes)
