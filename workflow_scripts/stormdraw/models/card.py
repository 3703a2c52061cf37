"""What a checkpoint is, in words: data, periods, variables, grid, licence and cost of training."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyproj

from stormdraw.models.given import read_header
from stormdraw.models.header import Header
from stormdraw.models.trained_grid import TrainedGrid

_NOT_SAID = "not recorded"


def card_text(path: Path) -> str:
    """The card of a checkpoint, a line each.

    Raises StormdrawError if it is not one that this version reads.
    """
    header = read_header(path, str(path))
    hashed = hashlib.sha256(path.read_bytes()).hexdigest()
    rows = [*_of_model(header), *_of_training(header), ("sha256", hashed)]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {value}" for name, value in rows]
    return "\n".join([f"{path}: the model {header.content['name']}", *lines])


def _of_model(header: Header) -> Iterator[tuple[str, str]]:
    settings, code = header.settings, header.content["code"]
    yield "family", f"{settings.family}, {header.content['parameters']:,} weights"
    yield "method", _method(header)
    for role, names in header.roles.by_role().items():
        if names:
            yield f"{role} variables", ", ".join(names)
    yield "starts from", f"{settings.history} hourly state{'s' * (settings.history > 1)}"
    yield "forcings", ", ".join(settings.forcings) or "none"
    if settings.driven_by is not None:
        yield "driven by", str(settings.driven_by)
    if settings.forecaster is not None:
        yield "forecaster", settings.forecaster
    if header.longest_lead is not None:
        yield "longest lead", f"{header.longest_lead} h"
    yield "grid", _grid(header.grid)
    yield "format", f"{header.content['format']}, stormdraw {code['version']} ({code['commit']})"


def _method(header: Header) -> str:
    settings = header.settings
    if settings.prediction != "target":
        return f"diffusion, predicts {settings.prediction} of {settings.target}"
    kind = "members by chance" if settings.by_chance else "deterministic"
    return f"one step an hour, {kind}, loss {settings.loss.kind}"


def _grid(grid: TrainedGrid) -> str:
    """The grid, with the longitudes and latitudes of its outline."""
    y, x = (
        corner + spacing * np.arange(points)
        for corner, spacing, points in zip(grid.corner, grid.spacing, grid.shape, strict=True)
    )
    edge_x = np.concatenate([x, x, np.full_like(y, x[0]), np.full_like(y, x[-1])])
    edge_y = np.concatenate([np.full_like(x, y[0]), np.full_like(x, y[-1]), y, y])
    longitude, latitude = pyproj.Proj(grid.crs)(edge_x, edge_y, inverse=True)
    unit = "degrees" if grid.crs.startswith("+proj=longlat") else "m"
    return (
        f"{grid.shape[0]} x {grid.shape[1]} points of {grid.spacing[1]:g} x {grid.spacing[0]:g} "
        f"{unit}, latitude {np.min(latitude):.2f} to {np.max(latitude):.2f}, longitude "
        f"{np.min(longitude):.2f} to {np.max(longitude):.2f}; {grid.crs}"
    )


def _of_training(header: Header) -> Iterator[tuple[str, str]]:
    record = header.record
    archive, periods = record.get("archive"), record.get("periods", {})
    yield "run", record.get("title", _NOT_SAID)
    yield "data", f"{archive['model']} from {_source(archive)}" if archive else _NOT_SAID
    for name in ("training", "validation"):
        period = periods.get(name)
        none = "none" if record else _NOT_SAID
        yield name, f"{period['start']} to {period['end']} UTC" if period else none
    epochs = header.metrics["epochs"]
    yield "epochs", str(len(epochs)) if epochs else _NOT_SAID
    if epochs:
        yield "loss", _losses(epochs[-1])
        seconds = sum(epoch["seconds"] for epoch in epochs)
        devices = dict.fromkeys(epoch["device"] for epoch in epochs)
        yield "cost", f"{seconds / 3600:.3g} h on {', then '.join(devices)}"
    yield "licence", f"{record['licence']}; its data have terms of their own" if record else "MIT"


def _source(archive: Mapping[str, Any]) -> str:
    source = archive["source"]
    named = ", ".join(source) if isinstance(source, list) else f"a {source} archive"
    return f"{named}, lead {archive['analysis_lead']} h"


def _losses(epoch: Mapping[str, Any]) -> str:
    validation = epoch["validation_loss"]
    more = "" if validation is None else f", {validation:.4g} in validation"
    return f"{epoch['train_loss']:.4g} in training{more}"
