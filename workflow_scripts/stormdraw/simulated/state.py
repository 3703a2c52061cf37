"""The hidden state: everything the world remembers from one step to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import xarray as xr

from stormdraw.simulated.cells import PROPERTIES, Cells
from stormdraw.simulated.latents import LATENTS


@dataclass(frozen=True)
class State:
    """The world at a time.

    `steering` is the wind (x, y) in m/s that advects everything; `latents` the Fourier coefficients
    (latent, ky, kx) of the random fields; `pool` those of the cold pools (ky, kx) in K; `heat` the
    heat stored in the ground (y, x), in units of the sine of the solar elevation; `cells` the
    convection.
    """

    time: datetime
    steering: np.ndarray
    latents: np.ndarray
    pool: np.ndarray
    heat: np.ndarray
    cells: Cells


def to_dataset(states: Sequence[State]) -> xr.Dataset:
    """The states as plain arrays in full precision, so that a run can continue from them."""
    return xr.Dataset(
        {
            "steering": (
                ("time", "component"),
                np.stack([state.steering for state in states]),
                {"long_name": "steering wind along x and y", "units": "m s-1"},
            ),
            "latents": (
                ("time", "latent", "ky", "kx", "part"),
                np.stack([_parts(state.latents) for state in states]),
                {"long_name": "Fourier coefficients of the random fields"},
            ),
            "pool": (
                ("time", "ky", "kx", "part"),
                np.stack([_parts(state.pool) for state in states]),
                {"long_name": "Fourier coefficients of the cold pools", "units": "K"},
            ),
            "heat": (
                ("time", "box_y", "box_x"),
                np.stack([state.heat for state in states]),
                {"long_name": "warmth stored in the ground", "units": "1"},
            ),
            "cells": (
                ("time", "cell", "property"),
                np.stack([state.cells.table() for state in states]),
                {"long_name": "convective cells, NaN where there is none"},
            ),
        },
        coords={
            "time": np.array([state.time for state in states], dtype="datetime64[ns]"),
            "component": ["x", "y"],
            "latent": [latent.name for latent in LATENTS],
            "part": ["real", "imaginary"],
            "property": list(PROPERTIES),
        },
    )


def from_dataset(dataset: xr.Dataset, time: datetime) -> State:
    """The state at a time; KeyError if it is missing."""
    at = dataset.sel(time=np.datetime64(time, "ns"))
    return State(
        time=time,
        steering=at["steering"].values,
        latents=_complex(at["latents"].values),
        pool=_complex(at["pool"].values),
        heat=at["heat"].values,
        cells=Cells.from_table(at["cells"].values),
    )


def _parts(coefficients: np.ndarray) -> np.ndarray:
    return np.stack([coefficients.real, coefficients.imag], axis=-1)


def _complex(parts: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(parts).view(np.complex64)[..., 0]
