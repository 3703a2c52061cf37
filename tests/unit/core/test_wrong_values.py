"""Whatever stands at whatever key, what is wrong with it is one short line about that key."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from diffusion_run import diffusion_run
from pydantic import BaseModel, ValidationError

from stormdraw.models.settings import ModelSettings
from stormdraw.section import findings
from stormdraw.settings import Settings

# What an error may name besides the keys: which kind of entry it took this for.
KINDS = {"name", "crossed", "list", "folder", "box", "outline", "names", "file", "files", "[key]"}
METHODS = {"diffusion", "one_step", "def", "downscale", "reference", "baseline", "perfect"}

WRONG = ["nonsense!", 0.5, True, None, [], ["nonsense!"], [["nonsense!"]], {"nonsense!": 0}]


def run_config(root) -> dict[str, Any]:
    """A configuration with every key, one system of each kind and both kinds of regions."""
    config = diffusion_run(root)
    config["periods"]["validation"] = {"start": "2026-06-20", "end": "2026-06-21"}
    config["fields"] = {"crop": {"rows": [0, 10], "columns": [0, 20]}}
    config["models"] += [{"name": "c", "configuration": "p", "forecaster": "ddpm_residual"}]
    config["ensembles"]["systems"] += [
        {"name": "a", "method": "one_step", "model": "ddpm_residual"},
        {"name": "b", "method": "def", "model": "c"},
        {"name": "d", "method": "downscale", "models": ["ddpm_residual"]},
    ]
    box = {"west": -110, "east": -100, "south": 30, "north": 40}
    config["scores"]["regions"] = {"box": box, "shape": {"file": "a.geojson"}}
    return Settings.model_validate(config).model_dump(mode="json")


def model_config(root) -> dict[str, Any]:
    """A model's configuration with every key."""
    model = yaml.safe_load((root / "config" / "models" / "cnn_transformer.yaml").read_text())
    model["loss"] = {"kind": "mae", "variable_weights": {"REFC": 2.0}}
    model["physics"] = {}
    model["training"] |= {"augmentation": {}, "crop": [64, 64]}
    return ModelSettings.model_validate(model).model_dump(mode="json")


def places(content: Any, path: tuple = ()) -> Iterator[tuple]:
    """Every key and every entry of every list."""
    inner = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in inner:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def put(content: Any, path: tuple, value: Any) -> Any:
    content = copy.deepcopy(content)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


def not_keys(content: Any, location: tuple) -> list:
    """What of an error's location is no key of the configuration."""
    strange = []
    for key in location:
        if (isinstance(content, dict) and key in content) or (
            isinstance(content, list) and isinstance(key, int) and key < len(content)
        ):
            content = content[key]
        else:
            strange.append(key)
    return strange


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize(
    ("settings", "make"), [(Settings, run_config), (ModelSettings, model_config)]
)
def test_one_line_about_the_key_that_is_wrong(root, settings: type[BaseModel], make, wrong):
    full = make(root)
    refused = 0
    for path in places(full):
        content = put(full, path, wrong)
        found = complaints(settings, content)
        refused += bool(found)
        for location, text in found:
            assert "\n" not in text
            assert len(text) < 400, text
            # A key that lacks, or that is not known, stands last.
            strange = {key for key in not_keys(content, location[:-1]) if key not in KINDS}
            assert strange <= METHODS, (location, text)
        if not isinstance(wrong, dict | list):
            assert sum(location[: len(path)] == path for location, _ in found) <= 1, found
    assert refused > 20


def complaints(settings: type[BaseModel], content: Any) -> list:
    try:
        settings.model_validate(content)
    except ValidationError as error:
        return list(findings(error))
    return []


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_are_finite(root, number):
    full = model_config(root)
    floats = [path for path in places(full) if isinstance(at(full, path), float)]
    assert len(floats) > 15
    for path in floats:
        with pytest.raises(ValidationError, match=r"finite|equal to|greater|less"):
            ModelSettings.model_validate(put(full, path, number))


def at(content: Any, path: tuple) -> Any:
    for key in path:
        content = content[key]
    return content
