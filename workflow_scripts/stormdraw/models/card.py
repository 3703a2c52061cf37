"""What a checkpoint is, in words: data, periods, variables, grid, licence and cost of training."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stormdraw.models.given import read_header
from stormdraw.models.header import Header
from stormdraw.models.in_words import grid_in_words, method_in_words, period_in_words
from stormdraw.provenance import digest_of_file

_NOT_SAID = "not recorded"


def card_text(path: Path) -> str:
    """The card of a checkpoint, a line each.

    Raises StormdrawError if it is not one that this version reads.
    """
    header = read_header(path, str(path))
    rows = [*_of_model(header), *_of_training(header), ("sha256", digest_of_file(path))]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {value}" for name, value in rows]
    return "\n".join([f"{path}: the model {header.content['name']}", *lines])


def _of_model(header: Header) -> Iterator[tuple[str, str]]:
    settings, code = header.settings, header.content["code"]
    yield "family", f"{settings.family}, {header.content['parameters']:,} weights"
    yield "method", method_in_words(settings)
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
    yield "grid", f"{grid_in_words(header.grid.whole)}; {header.grid.crs}"
    yield "format", f"{header.content['format']}, stormdraw {code['version']} ({code['commit']})"


def _of_training(header: Header) -> Iterator[tuple[str, str]]:
    record = header.record
    archive, periods = record.get("archive"), record.get("periods", {})
    yield "run", record.get("title", _NOT_SAID)
    yield "data", f"{archive['model']} from {_source(archive)}" if archive else _NOT_SAID
    for name in ("training", "validation"):
        yield name, period_in_words(periods.get(name)) if record else _NOT_SAID
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
