"""A finished run in small: every file the report reads, made to the file contracts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from station_files import stations_at, write_reports

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.manifest import ManifestRow, write_manifest
from stormdraw.grids import Grid
from stormdraw.report.mapped import wanted_for_maps
from stormdraw.report.mapped_case import extract_case
from stormdraw.scores.case import score_case
from stormdraw.scores.comparison import load_systems
from stormdraw.scores.missing import missing_data
from stormdraw.scores.overall import overall
from stormdraw.scores.stations.case import score_stations
from stormdraw.scores.stations.tables import write_tables
from stormdraw.scores.summary import by_hour, summarise, write_summary
from stormdraw.scores.verdicts import verdicts
from stormdraw.settings import Settings, load_settings
from stormdraw.times import format_date, format_init, hours
from stormdraw.variables import scored_variables

DEMO: dict[str, Any] = {
    "title": "Demo on a simulated archive",
    "seed": 1,
    "periods": {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-07T23:00"},
        "test": {"start": "2026-06-08T06:00", "end": "2026-06-09T15:00"},
    },
    "variables": ["REFC", "T2M", "U10", "V10"],
    "leads": [1, 2, 3],
    "archive": {"source": "simulated", "reference": "href", "stations": {}},
    "models": ["ddpm_residual", "ddpm_small"],
    "ensembles": {
        "members": 50,
        "systems": [
            {"name": "ddpm_residual", "method": "diffusion", "model": "ddpm_residual"},
            {"name": "href", "method": "reference", "kind": "members"},
            {"name": "href_mean_spread", "method": "reference", "kind": "products"},
            {"name": "persistence", "method": "baseline", "kind": "persistence"},
            {"name": "climatology", "method": "baseline", "kind": "climatology"},
            {"name": "perfect", "method": "perfect"},
        ],
    },
    "scores": {"reference": "href"},
}

# Members of each system, and how far they differ in multiples of the truth's own uncertainty.
MEMBERS = {
    "ddpm_residual": (20, 0.8),
    "href": (10, 0.5),
    "href_mean_spread": (0, 0.5),
    "persistence": (1, 1.0),
    "climatology": (8, 1.5),
    "perfect": (20, 1.0),
}
PRODUCT_VARIABLES = ("T2M", "D2M", "CAPE", "CIN", "WIND10")


@dataclass(frozen=True)
class Run:
    """Where the files of a run lie."""

    settings: Settings
    config: dict[str, Any]
    summary: Path
    verdicts: Path
    overall: Path
    missing: Path
    by_hour: Path
    scores: dict[str, list[Path]]
    ensembles: dict[str, list[Path]]
    truth: list[Path]
    maps: dict[str, Path]
    metrics: dict[str, Path]
    plans: dict[str, Path]
    manifests: list[Path]
    stations: dict[str, Path]


def make_forecasts(
    folder: Path, settings: Settings, grid: Grid
) -> tuple[list[Path], dict[str, list[Path]]]:
    """Write the truth and the ensembles of each system below `folder`."""
    inits = settings.initial_times()
    ensembles = {
        system.name: [write_ensemble(folder, settings, system.name, init, grid) for init in inits]
        for system in settings.ensembles.systems
    }
    return write_truth(folder, settings, grid), ensembles


def make_run(folder: Path, config: dict[str, Any]) -> Run:
    """Write a whole run below `folder`, on a crop of the HRRR grid."""
    settings = load_settings(config)
    grid = crop(13, 11)
    truth, ensembles = make_forecasts(folder, settings, grid)
    scores: dict[str, list[Path]] = {}
    for name, paths in ensembles.items():
        scores[name] = [folder / "scores" / name / path.name for path in paths]
        for path, output in zip(paths, scores[name], strict=True):
            score_case(path, truth, output, run_seed=1)
    summary = folder / "scores" / "summary.csv"
    how = settings.scores.model_copy(update={"bootstrap_samples": 100})
    write_summary(summarise(scores, how, 1), summary)
    loaded = load_systems(scores)
    judged, leads_together, missing = (
        folder / "scores" / f"{name}.csv" for name in ("verdicts", "overall", "missing")
    )
    standards = settings.baselines()
    write_summary(verdicts(loaded, settings.scores, 1, standards), judged)
    write_summary(overall(loaded, how, 1), leads_together)
    write_summary(missing_data(scores), missing)
    hours_of_day = folder / "scores" / "by_hour.csv"
    write_summary(by_hour(scores, how, standards), hours_of_day)
    return Run(
        settings=settings,
        config=config,
        summary=summary,
        verdicts=judged,
        overall=leads_together,
        missing=missing,
        by_hour=hours_of_day,
        scores=scores,
        ensembles=ensembles,
        truth=truth,
        maps={
            name: extract(folder, settings, name, paths, truth) for name, paths in ensembles.items()
        },
        metrics={model: write_metrics(folder, model) for model in settings.model_names},
        plans={model: write_plan(folder, model) for model in settings.model_names},
        manifests=[write_archive(folder, source) for source in ("hrrr", "href")],
        stations=write_stations(folder, settings, ensembles, grid),
    )


def crop(rows: int, columns: int) -> Grid:
    """A corner of the HRRR grid."""
    return HRRR.crop(slice(480, 480 + rows), slice(880, 880 + columns))


def write_stations(
    folder: Path, settings: Settings, ensembles: Mapping[str, Sequence[Path]], grid: Grid
) -> dict[str, Path]:
    """The tables of scores at stations, if the run has any: twelve, of which one lies outside.

    They report temperature and wind of the truth, with errors of a degree and of 1 m/s.
    """
    if settings.archive.stations is None:
        return {}
    random = np.random.default_rng(20260608)
    rows, columns = random.integers(0, grid.shape[0], 12), random.integers(0, grid.shape[1], 12)
    rows[-1] = -5
    stations = stations_at(grid, rows, columns)
    scored: dict[str, list[Path]] = {}
    for index, init in enumerate(settings.initial_times()):
        times = [init + hours(lead) for lead in settings.leads]
        values = {
            time: {
                name: truth_of(settings, name, time, grid)[rows, columns]
                + random.standard_normal(12)
                for name in ("T2M", "U10", "V10")
            }
            for time in times
        }
        for reported in values.values():
            reported["WIND10"] = np.hypot(reported["U10"], reported["V10"])
        day = write_reports(folder / "stations" / f"{format_init(init)}.parquet", stations, values)
        for name, paths in ensembles.items():
            output = folder / "scores" / "stations" / name / f"{format_init(init)}.nc"
            output.parent.mkdir(parents=True, exist_ok=True)
            score_stations(
                paths[index], [day], output, 1, settings.leads, settings.scores.stations, {}
            )
            scored.setdefault(name, []).append(output)
    names = ("summary", "by_hour", "by_place", "overall", "dropped")
    outputs = {name: folder / "scores" / f"stations_{name}.csv" for name in names}
    how = settings.scores.model_copy(update={"bootstrap_samples": 100})
    write_tables(scored, how, 1, settings.baselines(), outputs)
    return outputs


def extract(
    folder: Path, settings: Settings, system: str, ensembles: list[Path], truth: list[Path]
) -> Path:
    """What maps show of a system."""
    path = folder / "report" / "maps" / f"{system}.nc"
    extract_case(system, ensembles, truth, truth, wanted_for_maps(settings), path)
    return path


def field(settings: Settings, name: str, time: datetime, grid: Grid, shift: float) -> np.ndarray:
    """A smooth field (y, x) that drifts with time, displaced by `shift`."""
    y, x = np.mgrid[0 : grid.shape[0], 0 : grid.shape[1]] / max(grid.shape)
    moved = x - shift - 0.07 * (time - settings.periods.test.start) / timedelta(hours=1)
    wave = np.sin(9 * moved) * np.cos(7 * y + shift)
    wave += 0.5 * np.sin(23 * y - 3 * shift) * np.cos(19 * moved)
    fields = {
        "REFC": np.maximum(-10.0, 55.0 * wave - 20.0),
        "CAPE": np.maximum(0.0, 2500.0 * wave),
        "CIN": np.minimum(0.0, 80.0 * wave),
        "U10": 5.0 * wave,
        "V10": -4.0 * np.roll(wave, 3),
        "WIND10": np.hypot(5.0 * wave, -4.0 * np.roll(wave, 3)),
    }
    return fields.get(name, 295.0 + 6.0 * wave).astype(np.float32)


def shift_of(system: str, init: datetime, member: int) -> float:
    """By how much a member is displaced; systems draw theirs apart from each other."""
    random = np.random.default_rng([*system.encode(), init.day, init.hour, member])
    return float(0.1 * random.standard_normal())


def truth_of(settings: Settings, name: str, time: datetime, grid: Grid) -> np.ndarray:
    """The truth has its own displacement on each day."""
    day = time.replace(hour=0)
    return field(settings, name, time, grid, shift_of("truth", day, 0))


def write_truth(folder: Path, settings: Settings, grid: Grid) -> list[Path]:
    """fields/hrrr/{date}.nc of the test period."""
    by_day: dict[str, list[datetime]] = {}
    for time in settings.periods.test.times():
        start = time - hours(settings.archive.analysis_lead)
        by_day.setdefault(format_date(start), []).append(time)
    paths = []
    for date, times in by_day.items():
        dataset = xr.Dataset(
            {
                name: (
                    ("time", "y", "x"),
                    np.stack([truth_of(settings, name, time, grid) for time in times]),
                )
                for name in settings.variables
            },
            coords={"time": times, **grid.coordinates()},
        )
        paths.append(folder / "fields" / "hrrr" / f"{date}.nc")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        dataset.to_netcdf(paths[-1], engine="netcdf4")
    return paths


def write_ensemble(
    folder: Path, settings: Settings, system: str, init: datetime, grid: Grid
) -> Path:
    """ensembles/{system}/{init}.nc: members, or a mean and a spread."""
    members, width = MEMBERS[system]
    dims = ("lead", "y", "x")
    state = scored_variables(list(settings.variables))

    def draw(name: str, member: int) -> np.ndarray:
        shift = width * shift_of(system, init, member)
        if system == "persistence":
            return np.stack([truth_of(settings, name, init, grid)] * len(settings.leads))
        times = [init + hours(lead) for lead in settings.leads]
        return np.stack([field(settings, name, time, grid, shift) for time in times])

    data: dict[str, Any] = {}
    for name in state if members else [name for name in state if name in PRODUCT_VARIABLES]:
        drawn = np.stack([draw(name, member) for member in range(members or 10)])
        if members:
            data[name] = (("member", *dims), drawn)
        else:
            data[f"{name}_mean"] = (dims, drawn.mean(axis=0))
            data[f"{name}_spread"] = (dims, drawn.std(axis=0, ddof=1))
    names: Sequence[Any] = range(members)
    if system == "href":
        names = [f"hrrr_{age:02d}h" for age in range(members)]
    dataset = xr.Dataset(
        data,
        coords={
            "lead": ("lead", np.array(settings.leads, np.int32), {"units": "h"}),
            "init": init,
            **({"member": list(names)} if members else {}),
            **grid.coordinates(),
        },
        attrs={"system": system, "method": "made for a test"},
    )
    path = folder / "ensembles" / system / f"{format_init(init)}.nc"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.to_netcdf(path, engine="netcdf4")
    return path


def write_metrics(folder: Path, model: str) -> Path:
    epochs = [
        {
            "epoch": epoch,
            "train_loss": 0.9 / epoch**0.5,
            "validation_loss": 1.0 / epoch**0.4 if model == "ddpm_residual" else None,
            "learning_rate": 2e-4,
            "samples_per_second": 3.25,
            "seconds": 51.0,
            "peak_memory_bytes": 734003200,
            "device": "CPU",
        }
        for epoch in range(1, 9)
    ]
    path = folder / "models" / model / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    heading = {"model": model, "parameters": 81127, "training_pairs": 167, "device": "CPU"}
    path.write_text(json.dumps({**heading, "epochs": epochs}))
    return path


def write_plan(folder: Path, model: str) -> Path:
    plan = {
        "model": model,
        "grid": [97, 131],
        "parameters": 81127,
        "choices": {"batch_size": 4, "precision": "auto"},
        "training_bytes": {"weights": 324508, "peak": 734003200},
        "sampling_bytes": {"member": 27000000, "members_at_once": 50},
    }
    path = folder / "models" / model / "plan.json"
    path.write_text(json.dumps(plan))
    return path


def write_archive(folder: Path, source: str) -> Path:
    """archive/{source}/{date}/manifest.csv: four messages, of HREF one absent."""
    rows = [
        ManifestRow(
            file="a.grib2",
            variable=name,
            member="hrrr_00h",
            init=datetime(2026, 6, 8, 6),
            lead=lead,
            statistic="",
            offset=0,
            bytes=0 if (source, name, lead) == ("href", "D2M", 1) else 1000,
            sha256="0" * 64,
            origin="mirror",
            status="absent" if (source, name, lead) == ("href", "D2M", 1) else "ok",
        )
        for name in ("T2M", "D2M")
        for lead in (0, 1)
    ]
    path = folder / "archive" / source / "20260608" / "manifest.csv"
    path.parent.mkdir(parents=True)
    write_manifest(path, rows)
    return path
