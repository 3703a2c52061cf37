"""Packages of small models of each kind, and the members of their systems."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from packaging.requirements import Requirement

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.diffusion import Sampling, sampled
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.one_step import forecast
from stormdraw.ensembles.package.writing import Drawn, write_package
from stormdraw.ensembles.rollout import BoundsTally, Rollout, roll_out
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.statistics import Statistics
from stormdraw.models.checkpoint import load_model, save_model
from stormdraw.models.forcings import forcings_of
from stormdraw.models.one_step import OneStepModel
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import new_model
from stormdraw.roles import Roles

GRID = HRRR.crop(slice(500, 516), slice(900, 918))
INIT = datetime(2026, 6, 8, 6)
HOURS, MEMBERS = 2, 3
EVERY = ("T2M", "D2M", "U10", "V10", "CAPE", "REFC")
STATISTICS = Statistics(
    variables=EVERY,
    transforms=("identity", "identity", "identity", "identity", "signed_sqrt", "identity"),
    mean=np.array([295.0, 285.0, 0.0, 0.0, 10.0, 0.0], dtype=np.float32),
    std=np.array([5.0, 5.0, 4.0, 4.0, 10.0, 9.0], dtype=np.float32),
    tendency_mean=np.full(6, 0.01, dtype=np.float32),
    tendency_std=np.array([1.0, 1.0, 1.0, 1.0, 3.0, 4.0], dtype=np.float32),
)
SKY = ["hour_of_day", "solar_elevation", "terrain"]
ONE_STEP = {"prediction": "target", "target": "residual", "loss": {"kind": "almost_fair_crps"}}
SMALL_NOISE = {"family": "stochastic_unet", "network": {"channels": [8, 8], "noise_scales": [1, 4]}}
DIFFUSION = {"prediction": "v", "target": "residual"}
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any], Roles]] = {
    "crps": ({**SMALL_NOISE, **ONE_STEP, "forcings": SKY}, {"rho": 0.6}, Roles(predicted=EVERY)),
    "crps_of_states": (
        {
            **{**SMALL_NOISE, **ONE_STEP, "target": "next_state"},
            **{"history": 3, "history_as": "changes"},
        },
        {"noise_amplitude": 1.2},
        Roles(predicted=EVERY),
    ),
    "crps_with_roles": (
        {**SMALL_NOISE, **ONE_STEP},
        {},
        Roles(predicted=EVERY[:4], diagnosed=EVERY[5:], input=EVERY[4:5]),
    ),
    "deterministic": (
        {
            "family": "cnn_transformer",
            "network": {"channels": [32, 32], "frames": 3, "layers": 1},
            **{"history": 3, "prediction": "target", "target": "residual", "forcings": SKY[:2]},
        },
        {},
        Roles(predicted=EVERY),
    ),
    "diffusion": (
        {
            "family": "conditional_unet",
            **{"network": {"base_channels": 8}, **DIFFUSION, "forcings": SKY},
        },
        {"sampler": "dpm_solver++", "steps": 4, "rho": 0.5},
        Roles(predicted=EVERY),
    ),
    "diffusion_of_noise": (
        {
            "family": "deep_unet",
            "network": {"channels": [32, 32]},
            **{"prediction": "noise", "target": "next_state"},
            "noise_schedule": {"largest_beta": 0.02},
        },
        {"sampler": "ddim", "steps": 3, "eta": 0.5},
        Roles(predicted=EVERY[:5], diagnosed=EVERY[5:]),
    ),
    "diffusion_by_ddpm": (
        {"family": "conditional_unet", "network": {"base_channels": 8}, **DIFFUSION},
        {"sampler": "ddpm", "steps": 3},
        Roles(predicted=EVERY),
    ),
    "residual_unet": (
        {
            "family": "residual_unet",
            "network": {"width": 8, "depth": 1, "displacements": 2},
            **{**ONE_STEP, "forcings": ["position", "land"]},
        },
        {"rho": 0.5},
        Roles(predicted=EVERY),
    ),
    "edm": (
        {
            "family": "conditional_unet",
            **{"network": {"base_channels": 8}, **DIFFUSION, "preconditioning": "edm"},
        },
        {"sampler": "heun", "steps": 3, "rho": 0.5, "noise_amplitude": 1.2},
        Roles(predicted=EVERY),
    ),
    "edm_by_solver": (
        {
            "family": "conditional_unet",
            **{"network": {"base_channels": 8}, **DIFFUSION},
            "preconditioning": {"kind": "edm", "sigma_data": 0.8},
        },
        {"sampler": "dpm_solver++", "steps": 4},
        Roles(predicted=EVERY),
    ),
    "transformer": (
        {
            "family": "transformer",
            "network": {
                **{"positions": [2, 3], "hidden": 16, "layers": 1, "heads": 2},
                "feed_forward": 16,
            },
            **{"prediction": "target", "target": "residual"},
        },
        {},
        Roles(predicted=EVERY),
    ),
    "gnn": (
        {
            "family": "gnn",
            "network": {"latent": 16, "layers": 2, "scales": 2},
            **{"prediction": "target", "target": "next_state"},
        },
        {},
        Roles(predicted=EVERY),
    ),
}

# The first argument is a folder with torch, NumPy and what these need, and nothing else.
DRAW = """
import sys
sys.path.append(sys.argv.pop(1))
import importlib.util, pathlib, pickle
from datetime import datetime
import numpy as np
for other in ("stormdraw", "xarray", "lightning", "diffusers", "pydantic", "netCDF4"):
    assert importlib.util.find_spec(other) is None, other
class NoPickle(pickle.Unpickler):
    def __init__(self, *arguments, **options):
        raise RuntimeError("pickle is not safe")
pickle.Unpickler = NoPickle
pickle.load = pickle.loads = NoPickle
for folder in map(pathlib.Path, sys.argv[1:]):
    with np.load(folder / "state.npz", allow_pickle=False) as file:
        state = dict(file)
    spec = importlib.util.spec_from_file_location("predict", folder / "predict.py")
    predict = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(predict)
    model = predict.Model(folder)
    members = 3 if model.about["by_chance"] else 1
    drawn = model.predict(state, datetime(2026, 6, 8, 6), members, hours=2, at_once=2)
    np.savez(folder / "drawn.npz", **drawn)
"""


def link_packages(folder: Path, names: list[str]) -> Path:
    """A folder with links to some installed packages and to all that they need."""
    folder.mkdir()
    waiting, found = list(names), set()
    while waiting:
        name = waiting.pop()
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            # For another platform.
            continue
        for top in {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(installed.locate_file(top))
        needed = [Requirement(text) for text in installed.requires or []]
        own = {one.name for one in needed if one.marker is None or one.marker.evaluate()}
        waiting += own - found
        found |= own
    return folder


def settings_of(kind: str) -> ModelSettings:
    return ModelSettings.model_validate({**KINDS[kind][0], "training": {"epochs": 1}})


def states() -> np.ndarray:
    """Physical states of the three hours up to the initial one, (hour, variable, y, x)."""
    random = np.random.default_rng(5)
    mean, std = STATISTICS.mean[:, None, None], STATISTICS.std[:, None, None]
    state = mean + std * random.normal(size=(3, len(EVERY), *GRID.shape))
    state[:, 4] = np.maximum(state[:, 4], 0.0) * 30.0
    return state.astype(np.float32)


def write_files(folder: Path) -> tuple[Path, Path, Path]:
    """A day file, a static file and metrics."""
    times = np.array([INIT - timedelta(hours=age) for age in (2, 1, 0)], "datetime64[ns]")
    leading = {"time": xr.DataArray(times, dims="time")}
    with written_in_parts(folder / "day.nc", GRID, leading, {n: n for n in EVERY}, {}) as file:
        for k, name in enumerate(EVERY):
            file[name][:] = states()[:, k]
    random = np.random.default_rng(1)
    names = {name: name for name in ("OROG", "LAND")}
    with written_in_parts(folder / "static.nc", GRID, {}, names, {}) as file:
        file["OROG"][:] = random.uniform(0.0, 900.0, GRID.shape)
        file["LAND"][:] = random.integers(0, 2, GRID.shape)
    epoch = {"train_loss": 0.51234, "train_loss_by_variable": {"T2M": 0.25, "REFC": 0.75}}
    (folder / "metrics.json").write_text(json.dumps({"epochs": [epoch]}))
    return folder / "day.nc", folder / "static.nc", folder / "metrics.json"


def drawn_here(kind: str, checkpoint: Path, day: Path, static: Path) -> np.ndarray:
    """The members of a system, as they are before they are stored, (member, hour, V, y, x)."""
    _, how, roles = KINDS[kind]
    trained = load_model(checkpoint, torch.device("cpu"))
    model, history = trained.model, trained.model.settings.history
    own = {key: value for key, value in how.items() if key != "noise_amplitude"}
    amplitude = (how.get("noise_amplitude", 1.0),)
    if isinstance(model, OneStepModel):
        drawing = Rollout(MEMBERS, 7, noise_amplitude=amplitude, **own)
        generate = forecast(model)
    else:
        drawing = Sampling(MEMBERS, 7, noise_amplitude=amplitude, **own)
        generate = sampled(trained, kind, drawing)

    class Upper:
        def read(self, time, out=None, window=None):
            return states()[2, [EVERY.index(name) for name in roles.input]]

    forcings = forcings_of(model, GRID, static, trained.terrain, Upper())
    case = Case(f"{kind}_system", "any", INIT, (1, 2), roles.forecast)
    start = states()[3 - history :, [EVERY.index(name) for name in roles.predicted]]
    members = range(MEMBERS if model.settings.by_chance else 1)
    drawn = np.empty((len(members), HOURS, len(roles.forecast), *GRID.shape), np.float32)
    tally = BoundsTally(roles.forecast)
    for member, lead, state in roll_out(
        trained, generate, forcings, start, case, drawing, tally, members
    ):
        drawn[member, lead] = state
    return drawn


# The others take two minutes to export.
QUICK = ("crps", "crps_with_roles", "diffusion")


def pack(folder: Path, kinds: Sequence[str]) -> Path:
    """A folder with packages, with members that they drew in another process."""
    day, static, metrics = write_files(folder)
    for kind in kinds:
        _, how, roles = KINDS[kind]
        model = new_model(kind, 1, settings_of(kind), STATISTICS, roles=roles)
        for weights in model.parameters():
            # Layers that begin at zero would hide what the network is given.
            if weights.abs().max() == 0.0:
                torch.nn.init.normal_(weights, std=0.1)
        save_model(folder / f"{kind}.pt", kind, model, STATISTICS, (400.0, 250.0), GRID, None, 12)
        write_package(
            *(folder / f"{kind}.pt", day, static, metrics, folder / kind),
            Drawn(7, f"{kind}_system", **how),
            {"training": {"start": "2026-06-01T00:00", "end": "2026-06-05T00:00"}},
        )
        history = settings_of(kind).history
        fields = {n: states()[3 - history :, EVERY.index(n)] for n in roles.predicted}
        fields = {n: field if history > 1 else field[0] for n, field in fields.items()}
        fields |= {n: states()[2, EVERY.index(n)] for n in roles.input}
        np.savez(folder / kind / "state.npz", **fields)
    link_packages(folder / "site", ["torch", "numpy"])
    draw_alone(folder / "site", *(folder / kind for kind in kinds))
    return folder


def draw_alone(site: Path, *folders: Path) -> None:
    """Let packages draw members where only the packages of a folder are installed."""
    command = [sys.executable, "-I", "-S", "-c", DRAW, site, *folders]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
