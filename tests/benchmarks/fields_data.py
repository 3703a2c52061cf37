"""Full-grid hours for the benchmarks: made up, but packed and about as rough as HRRR's."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from stormdraw.archive.manifest import ManifestRow, write_manifest
from stormdraw.grids import Grid
from stormdraw.simulated.gribs import Encoder, Product
from stormdraw.variables import DEFAULT_STATE, variable

START = datetime(2026, 6, 1)


def _texture(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Noise of several scales, standard deviation about 1, (y, x)."""
    random = np.random.default_rng(seed)
    field = np.zeros(shape)
    for width, share in ((64, 1.0), (16, 0.4), (2, 0.08)):
        small = random.normal(size=tuple(points // width + 3 for points in shape))
        smooth = gaussian_filter(small, 1.0)
        large = zoom(smooth / smooth.std(), width, order=1)[: shape[0], : shape[1]]
        field += share * large
    return field


def state(grid: Grid, seed: int) -> dict[str, np.ndarray]:
    """One state, physical values (y, x); storms on a sixth of the area, CAPE on two thirds."""
    rough = {name: _texture(grid.shape, 10 * seed + k) for k, name in enumerate(DEFAULT_STATE)}
    fields = {
        "REFC": np.where(rough["REFC"] > 1.0, 25 * rough["REFC"] - 15, -10.0),
        "T2M": 290 + 8 * rough["T2M"],
        "D2M": 282 + 7 * rough["D2M"],
        "U10": 4 * rough["U10"],
        "V10": 4 * rough["V10"],
        "CAPE": 1200 * np.maximum(rough["CAPE"] + 0.4, 0),
        "CIN": -60 * np.maximum(rough["CIN"], 0),
    }
    bounds = {name: variable(name) for name in fields}
    return {name: np.clip(f, bounds[name].lower, bounds[name].upper) for name, f in fields.items()}


def write_hours(folder: Path, grid: Grid, hours: int) -> Path:
    """The manifest of a day of `hours` states as GRIB2, one file an hour."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    with Encoder(grid, process=83) as encoder:
        for hour in range(hours):
            init = START + timedelta(hours=hour)
            file, offset = f"{hour:02}.grib2", 0
            with open(folder / file, "wb") as stream:
                for name, field in state(grid, hour % 3).items():
                    message = encoder.encode(Product.of(name), field, init, 0)
                    stream.write(message)
                    digest = hashlib.sha256(message).hexdigest()
                    rows.append(
                        ManifestRow(
                            *(file, name, "", init, 0, "", offset, len(message), digest),
                            *("benchmark", "ok"),
                        )
                    )
                    offset += len(message)
    write_manifest(folder / "manifest.csv", rows)
    return folder / "manifest.csv"
