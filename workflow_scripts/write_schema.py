"""Writes config/schema.json, for editors that check YAML: `make schema`."""

import json
from pathlib import Path

from stormdraw.files import write_text
from stormdraw.settings import Settings

SCHEMA = Path(__file__).resolve().parents[1] / "config" / "schema.json"


def schema() -> str:
    """The configuration's JSON schema as text."""
    return json.dumps(Settings.model_json_schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    write_text(SCHEMA, schema())
