"""How complete the archive was, according to its manifests."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stormdraw.archive.manifest import OK, read_manifest
from stormdraw.report.wording import size_text

# The page lists no more absent files than this.
_LISTED = 20

# Variables that share all of these are listed in one line.
_KEY = ["member", "statistic", "init", "lead", "status", "reason"]


@dataclass(frozen=True)
class Completeness:
    """A table of messages by source and status, as text, and the first that are not OK."""

    headings: list[str]
    rows: list[tuple[str, ...]]
    absent: list[str]
    more_absent: int


def completeness(manifest_paths: Sequence[str | Path]) -> Completeness:
    """Count the messages of `archive/{source}/{date}/manifest.csv`, by source.

    Raises StormdrawError if a file is not a manifest.
    """
    by_source: dict[str, list[pd.DataFrame]] = {}
    for path in map(Path, manifest_paths):
        by_source.setdefault(path.parent.parent.name, []).append(read_manifest(path))
    tables = {name: pd.concat(days, ignore_index=True) for name, days in by_source.items()}
    occurring = {status for table in tables.values() for status in set(table["status"])}
    statuses = sorted(occurring, key=lambda status: (status != OK, status))
    rows = []
    for name, table in tables.items():
        counts = (f"{int((table['status'] == status).sum()):,}" for status in statuses)
        days, size = len(by_source[name]), size_text(int(table["bytes"].sum()))
        rows.append((name, str(days), *counts, size))
    absent = [
        _described(name, key, list(group["variable"]))
        for name, table in tables.items()
        for key, group in table[table["status"] != OK].groupby(_KEY, sort=False)
    ]
    headings = ["source", "days", *statuses, "size"]
    return Completeness(headings, rows, absent[:_LISTED], max(0, len(absent) - _LISTED))


def _described(source: str, key: tuple[Any, ...], names: Sequence[str]) -> str:
    """One line about variables of a file that share a status."""
    member, statistic, init, lead, status, reason = key
    parts = [source, member, ", ".join(names), statistic]
    why = f" ({reason})" if reason else ""
    when = f"{init:%Y-%m-%d %H} UTC + {lead} h"
    return f"{' '.join(part for part in parts if part)}, {when}: {status}{why}"
