"""Hours of variables with roles, and models of them, for tests."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from synthetic_hours import HOURS, START, VARIABLES, make_model_settings, make_settings, small_grid

from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.statistics import Statistics
from stormdraw.models.forcings import Forcings, make_forcings
from stormdraw.models.forcings.initial_fields import InitialFields
from stormdraw.models.pairs import Pairs
from stormdraw.models.settings import ModelSettings
from stormdraw.models.stored_states import StoredStates
from stormdraw.roles import Roles
from stormdraw.times import hourly, hours

ROLES = Roles(predicted=("T2M",), diagnosed=("CAPE",), input=("D2M",))
GIVEN = {"predicted": ["T2M"], "diagnosed": ["CAPE"], "input": ["D2M"]}
LONGEST = 4
TIMES = list(hourly(START, START + hours(HOURS - 1)))

DIFFUSION = {"prediction": "v", "target": "residual"}
REGRESSOR = {"prediction": "target", "target": "residual"}
GENERATOR = {**REGRESSOR, "loss": {"kind": "almost_fair_crps"}}
KINDS: dict[str, dict[str, Any]] = {
    "conditional_unet": {"network": {"base_channels": 8}, **DIFFUSION},
    "deep_unet": {"network": {"channels": [8, 8]}, **DIFFUSION},
    "transformer": {
        "network": {
            **{"positions": [4, 4], "patch": 4, "hidden": 16},
            **{"layers": 1, "heads": 2, "feed_forward": 16},
        },
        **REGRESSOR,
        "loss": {"kind": "mae"},
    },
    "cnn_transformer": {
        "network": {"channels": [32, 32], "layers": 1, "frames": 3},
        "history": 3,
        **REGRESSOR,
    },
    "gnn": {"network": {"latent": 8, "layers": 1, "scales": 1}, **REGRESSOR},
    "stochastic_unet": {"network": {}, **GENERATOR},
}

PERIODS = {
    "training": {"start": START, "end": START + hours(4)},
    "validation": {"start": START + hours(6), "end": START + hours(9)},
    "test": {"start": START + hours(12), "end": START + hours(15)},
}


def settings_of(family: str, **changes: Any) -> ModelSettings:
    return make_model_settings(**{"family": family, **KINDS[family], "forcings": [], **changes})


def statistics_of(roles: Roles, **numbers: float) -> Statistics:
    count = len(roles.every)
    values = {"mean": 0.0, "std": 1.0, "tendency_mean": 0.0, "tendency_std": 1.0, **numbers}
    arrays = {key: np.full(count, value, np.float32) for key, value in values.items()}
    return Statistics(roles.every, ("identity",) * count, **arrays)


def in_roles(**changes: Any) -> Any:
    return make_settings(**{"variables": GIVEN, "leads": [1, 2], **changes, "periods": PERIODS})


def write_numbered(path: Path) -> None:
    """A day file in which the value of each variable says which hour it is of."""
    time = xr.DataArray(np.array(TIMES, dtype="datetime64[ns]"), dims="time")
    names = {name: name for name in VARIABLES}
    with written_in_parts(path, small_grid(), {"time": time}, names, {}) as file:
        for index in range(HOURS):
            for base, name in zip((260.0, 100.0, 300.0), VARIABLES, strict=True):
                file[name][index] = base + index


def initial_fields(path: Path, times: list[datetime] = TIMES) -> Forcings:
    """Those of D2M, in kelvins above 100: the number of their hour."""
    stored = StoredStates([path], ["D2M"], times, small_grid().shape, 1e9)
    of_input = Statistics(("D2M",), ("identity",), *np.float32([[100], [1], [0], [1]]))
    return make_forcings([], small_grid(), more=[InitialFields(of_input, stored)])


def numbered_pairs(path: Path, in_memory: float = 1e9, times: list[datetime] = TIMES) -> Pairs:
    return Pairs(
        *([path], ROLES.forecast, times, initial_fields(path, times), in_memory),
        diagnosed=ROLES.diagnosed,
        longest_lead=LONGEST,
    )
