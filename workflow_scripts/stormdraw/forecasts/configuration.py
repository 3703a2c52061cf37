"""The configuration of a forecast, made of that of a study or of one with no more than it needs.

A forecast is a run whose cases are its cycles. It learns nothing: its models are given, and what
only serves learning is left out. It is compared with nothing, unless it is verified.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import model_validator

from stormdraw.ensembles.system import AnySystem
from stormdraw.errors import StormdrawError
from stormdraw.models.given import own_checkpoint
from stormdraw.scores.threshold import Threshold
from stormdraw.settings import Settings, load_settings

# The sections of which a forecast takes everything, and of others the keys it takes.
_WHOLE = ("title", "seed", "variable_table", "variables", "leads", "fields", "forecast", "cycle")
_KEYS = {
    "cases": ("history",),
    "archive": ("model", "source", "connections", "analysis_lead", "driving", "simulated"),
    "ensembles": ("members", "batch_gigabytes", "jobs_per_case"),
    "scores": ("neighbourhoods", "local_patch"),
}
# What a forecast that is verified takes of the archive besides.
_COMPARED_WITH = ("truth", "truth_tolerance_minutes", "reference", "stations", "exclude")


class _Given(Settings):
    """What a forecast is made of: sections that are right, each for itself."""

    @model_validator(mode="after")
    def _sections_agree(self) -> "_Given":
        """Those of the forecast must; it leaves out much of these."""
        return self


def forecast_configuration(config: Mapping[str, Any], files: Sequence[Path] = ()) -> dict[str, Any]:
    """The configuration of a forecast, of one read from `files`; its `cycle` is as given.

    Raises StormdrawError if a section is wrong, or if no system draws from a model.
    """
    without = {key: value for key, value in config.items() if key != "cycle"}
    given = load_settings(without, *files, form=_Given)
    made = {key: config[key] for key in _WHOLE if key in config}
    for section, keys in _KEYS.items():
        own = config.get(section, {})
        made[section] = {key: own[key] for key in keys if key in own}
    made["models"] = [_by_checkpoint(entry) for entry in config.get("models", [])]
    made["ensembles"] |= {
        "systems": _drawn(config["ensembles"]["systems"], given.ensembles.given()),
        "keep": True,
    }
    if "thresholds" in config.get("scores", {}):
        made["scores"]["thresholds"] = _fixed(config["scores"]["thresholds"])
    if periods := given.periods.named():
        # The simulated world begins with the periods of the study, so that it is the same.
        since = f"{periods[0][1].start:%Y-%m-%dT%H:%M}"
        made["archive"]["simulated"] = {"since": since, **made["archive"].get("simulated", {})}
    return made


def verified_configuration(config: Mapping[str, Any], files: Sequence[Path] = ()) -> dict[str, Any]:
    """The configuration of forecasts that are scored, of one read from `files`.

    Beside the systems that were drawn are those that need no training. Raises StormdrawError as
    `forecast_configuration` does.
    """
    made = forecast_configuration(config, files)
    archive, scores = config.get("archive", {}), config.get("scores", {})
    # What never came is left out for all systems, as in a study that skips it.
    made["archive"] |= {"missing": "skip", "missing_limit": 1.0}
    made["archive"] |= {key: archive[key] for key in _COMPARED_WITH if key in archive}
    # Nothing is drawn here, so what was calibrated has no twin that is not.
    drawn = [{**raw, "calibrate": False} for raw in made["ensembles"]["systems"]]
    made["ensembles"]["systems"] = [*drawn, *_untrained(config, files)]
    names = {raw["name"] for raw in made["ensembles"]["systems"]}
    made["scores"] = {**scores, **made["scores"]}
    if scores.get("reference") not in names:
        made["scores"].pop("reference", None)
    made["report"] = {
        key: value for key, value in config.get("report", {}).items() if key != "products_of"
    }
    return {**made, "verify": True}


def _untrained(config: Mapping[str, Any], files: Sequence[Path]) -> list[Any]:
    """The systems, as they are given, behind which are neither models, nor a training
    period, nor the simulated world itself, nor other systems."""
    without = {key: value for key, value in config.items() if key != "cycle"}
    systems = load_settings(without, *files, form=_Given).ensembles.given()
    return [
        raw
        for raw, system in zip(config["ensembles"]["systems"], systems, strict=True)
        if not (
            system.drawn_from
            or system.of_training
            or system.of_world
            or system.made_from is not None
        )
    ]


def _by_checkpoint(entry: Any) -> Any:
    """An entry of the list of models, by its checkpoint: what this folder has trained."""
    if isinstance(entry, str):
        return {"name": entry, "checkpoint": str(own_checkpoint(entry))}
    if "configuration" in entry:
        kept = {key: entry[key] for key in ("name", "forecaster")}
        return {**kept, "checkpoint": str(own_checkpoint(entry["name"]))}
    return entry


def _drawn(given: Sequence[Any], systems: Sequence[AnySystem]) -> list[Any]:
    """The systems that a model draws, as they are given."""
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
    if system.get("calibrate") and not path.is_file():
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
