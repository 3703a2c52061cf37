"""The configuration of a forecast, made of that of a study or of one with no more than it needs.

A forecast is a run whose cases are its cycles. It learns nothing and is compared with nothing: its
models are given, and what only serves learning and scoring is left out.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stormdraw.ensembles.settings import Ensembles
from stormdraw.ensembles.system import AnySystem
from stormdraw.errors import StormdrawError
from stormdraw.models.given import own_checkpoint
from stormdraw.periods import Periods
from stormdraw.scores.threshold import Threshold
from stormdraw.section import explain

# The sections of which a forecast takes everything, and of others the keys it takes.
_WHOLE = ("title", "seed", "variable_table", "variables", "leads", "fields", "forecast", "cycle")
_KEYS = {
    "cases": ("history",),
    "archive": ("model", "source", "connections", "analysis_lead", "driving", "simulated"),
    "ensembles": ("members", "batch_gigabytes", "jobs_per_case"),
    "scores": ("neighbourhoods", "local_patch"),
}


def forecast_configuration(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a forecast; its `cycle` is as given.

    Raises StormdrawError if no system draws from a model.
    """
    made = {key: config[key] for key in _WHOLE if key in config}
    for section, keys in _KEYS.items():
        given = config.get(section) or {}
        made[section] = {key: given[key] for key in keys if key in given}
    made["models"] = [_given(entry) for entry in config.get("models") or []]
    made["ensembles"] |= {"systems": _drawn(config), "keep": True}
    if "thresholds" in (config.get("scores") or {}):
        made["scores"]["thresholds"] = _fixed(config["scores"]["thresholds"])
    start = _start_of_world(config)
    if start is not None:
        simulated = made["archive"].get("simulated") or {}
        made["archive"]["simulated"] = {"since": start, **simulated}
    return made


def _given(entry: Any) -> Any:
    """An entry of the list of models, by its checkpoint: what this folder has trained."""
    if isinstance(entry, str):
        return {"name": entry, "checkpoint": str(own_checkpoint(entry))}
    if isinstance(entry, Mapping) and "configuration" in entry:
        checkpoint = str(own_checkpoint(str(entry.get("name"))))
        kept = {key: entry[key] for key in ("name", "forecaster") if key in entry}
        return {**kept, "checkpoint": checkpoint}
    return entry


def _drawn(config: Mapping[str, Any]) -> list[Any]:
    """The systems that a model draws, as they are given."""
    try:
        given = config["ensembles"]["systems"]
        systems: Iterable[AnySystem] = Ensembles.model_validate(config["ensembles"]).given()
    except (KeyError, TypeError):
        raise StormdrawError(
            "ensembles.systems is missing; name a system that a model draws"
        ) from None
    except ValidationError as error:
        raise StormdrawError(f"ensembles: {explain(error)}") from None
    drawn = [raw for raw, system in zip(given, systems, strict=True) if system.by_model]
    if not drawn:
        raise StormdrawError(
            "ensembles.systems has no system that a model draws, which a forecast needs; add one"
        )
    for raw in drawn:
        _require_calibrated(raw)
    return drawn


def _require_calibrated(system: Mapping[str, Any]) -> None:
    """Raise StormdrawError if a system is calibrated, and no run here has calibrated it."""
    name, model = system["name"], system["model"]
    path = own_checkpoint(model).with_name(f"calibration_{name}.json")
    if system.get("calibrate") and not Path(path).is_file():
        raise StormdrawError(
            f"ensembles.systems: {name} is calibrated, and there is no {path}; run the study that "
            "calibrates it here first, copy that file, or set `calibrate` to false"
        )


def _fixed(thresholds: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The thresholds that are values: percentiles are of a training period."""
    return {
        name: [one for one in given if not Threshold.parse(one).percentile]
        for name, given in thresholds.items()
    }


def _start_of_world(config: Mapping[str, Any]) -> str | None:
    """When the simulated world begins: with the periods of the study, so that it is the same."""
    try:
        periods = Periods.model_validate(config.get("periods") or {}).named()
    except ValidationError as error:
        raise StormdrawError(f"periods: {explain(error)}") from None
    return f"{periods[0][1].start:%Y-%m-%dT%H:%M}" if periods else None
