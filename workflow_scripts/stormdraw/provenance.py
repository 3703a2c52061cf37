"""The provenance of a file: attributes that every NetCDF carries."""

import dataclasses
import functools
import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stormdraw import __version__


@functools.cache
def commit() -> str:
    """The commit of this library's checkout, '+changes' if edited, or 'unknown'."""
    folder = Path(__file__).parent
    # A git hook sets its own repository, and an enclosing repository must not be used.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment["GIT_CEILING_DIRECTORIES"] = str(folder.parents[2])
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return described.stdout.strip() or "unknown"


def digest(value: Any) -> str:
    """A short hash of anything JSON can represent; equal values give equal hashes."""
    text = json.dumps(value, sort_keys=True, default=_in_full)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_of_file(path: Path) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _in_full(value: Any) -> Any:
    """A dataclass by its fields, since its string may leave some out."""
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)


def attributes(title: str, source: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Global attributes of a NetCDF: title, source, history, commit, settings and their hash."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "Conventions": "CF-1.11",
        "title": title,
        "source": source,
        "history": f"{now} written by stormdraw {__version__}",
        "stormdraw_version": __version__,
        "stormdraw_commit": commit(),
        "settings": json.dumps(settings, sort_keys=True, default=str),
        "settings_hash": digest(settings),
    }
