"""The perfect ensemble: draws from the simulated world's true forecast distribution."""

import itertools
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.seeds import generator_for
from stormdraw.simulated import SIMULATED_ON_REQUEST, SIMULATED_VARIABLES
from stormdraw.simulated.domain import domain_of
from stormdraw.simulated.noise import Noise
from stormdraw.simulated.observed import Observer
from stormdraw.simulated.state import State, from_dataset
from stormdraw.simulated.surface import Surface, to_precision
from stormdraw.simulated.world import World
from stormdraw.times import format_init
from stormdraw.variables import variable


def draw_members(
    world_path: Path,
    init: datetime,
    leads: Sequence[int],
    members: int,
    run_seed: int,
    system: str,
    names: Sequence[str] = SIMULATED_VARIABLES,
) -> xr.Dataset:
    """The variables called `names` (member, lead, y, x) of runs from the true state at `init`.

    Each member follows the world's own dynamics with its own noise, seeded by (run_seed, system,
    init, member), and is rounded like the archive's messages: the truth is exchangeable with the
    members. `leads` in hours.

    Raises StormdrawError if the world has no state at `init`.
    """
    world, state = _load(world_path, init)
    shape = (members, len(leads), *world.surface.domain.window.shape)
    drawn = {name: np.empty(shape, dtype=np.float32) for name in names}
    further = [name for name in names if name in SIMULATED_ON_REQUEST]
    for member in range(members):
        generator = generator_for(run_seed, system, format_init(init), member)
        observer = Observer(world.surface, further)
        ahead = world.hours(state, Noise(generator))
        for lead, hour in enumerate(itertools.islice(ahead, max(leads)), start=1):
            if lead in leads:
                fields = observer.observe(hour)
                for name in names:
                    seen = world.surface.domain.seen(fields[name])
                    drawn[name][member, list(leads).index(lead)] = to_precision(name, seen)
    return _dataset(drawn, world, leads)


def _load(world_path: Path, init: datetime) -> tuple[World, State]:
    """The world's dynamics and its state at `init`."""
    with xr.open_dataset(world_path, engine="netcdf4") as saved:
        try:
            state = from_dataset(saved, init)
        except KeyError:
            raise StormdrawError(
                f"{world_path}: holds no state at {init:%Y-%m-%d %H} UTC; delete it and the "
                "simulated archive, and run archive_simulate again for this configuration"
            ) from None
        rows, columns = saved.attrs["rows"], saved.attrs["columns"]
        domain = domain_of((int(rows[0]), int(rows[1])), (int(columns[0]), int(columns[1])))
        return World(Surface(domain, saved["terrain"].values)), state


def _dataset(drawn: dict[str, np.ndarray], world: World, leads: Sequence[int]) -> xr.Dataset:
    """The members with the coordinates of the archive's grid."""
    members = next(iter(drawn.values())).shape[0]
    grid_coordinates = world.surface.domain.window.coordinates()
    coordinates = {
        "member": ("member", np.arange(members, dtype=np.int32), {"standard_name": "realization"}),
        "lead": (
            "lead",
            np.array(leads, dtype=np.int32),
            {"standard_name": "forecast_period", "units": "h"},
        ),
        **grid_coordinates,
    }
    return xr.Dataset(
        {
            name: (
                ("member", "lead", "y", "x"),
                values,
                {
                    "long_name": variable(name).long_name,
                    "units": variable(name).units,
                    "grid_mapping": "projection",
                },
            )
            for name, values in drawn.items()
        },
        coords=coordinates,
    )
