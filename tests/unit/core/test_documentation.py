"""The documents that must keep up with the code."""

import json
import re

from pydantic import BaseModel

from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings


def keys_of(schema: dict) -> set[str]:
    """Every key that some part of a configuration may have."""
    parts = [schema, *schema.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}


def documented(root) -> set[str]:
    text = (root / "config" / "README.md").read_text()
    return {part for code in re.findall(r"`([^`]+)`", text) for part in re.split(r"[^\w]+", code)}


def undocumented(model: type[BaseModel], root) -> set[str]:
    return keys_of(model.model_json_schema()) - documented(root) - {"mirror", "method", "name"}


def test_every_key_is_explained(root):
    assert undocumented(Settings, root) == set()
    assert undocumented(ModelSettings, root) == set()


def test_schema_is_the_settings(root):
    text = (root / "config" / "schema.json").read_text()
    assert json.loads(text) == json.loads(json.dumps(Settings.model_json_schema()))
