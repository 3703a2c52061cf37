"""Which files a run wanted from the archive and which it got, over the whole period."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from stormdraw.archive.manifest import ABSENT, EXCLUDED, OLDER_RUN, read_manifest
from stormdraw.archive.wanted import has_members
from stormdraw.errors import StormdrawError
from stormdraw.files import replacing
from stormdraw.settings import Settings
from stormdraw.variables import variable

COLUMNS = (
    "source",
    "member",
    "statistic",
    "valid",
    "init",
    "lead",
    "status",
    "lacks",
    "reason",
    "bytes",
    "origin",
    "replaced_by",
)

# The columns that identify a file.
_FILE = ["member", "statistic", "init", "lead", "file"]

# The lead of a state's file by its valid time and the shortest lead of its variables.
WantedLead = Callable[[datetime, int], int]

# The number of absent files that an error names.
_NAMED = 5


def audit(
    manifests_by_source: Mapping[str, Sequence[str | Path]], wanted_lead: WantedLead
) -> pd.DataFrame:
    """One row for each wanted file, with columns COLUMNS, in order of time.

    `init` and `lead` (h) are those of the wanted file; for a state, `wanted_lead` gives the lead by
    the valid time and the shortest lead of the variables. Its `status` is that in the manifests:
    `ok`, `absent`, `excluded`, or `older_run`, in which case `replaced_by` names the file used
    instead. A file is `absent` if any wanted variable is; `lacks` lists these variables, and
    `reason` says what was wrong. `origin` is where the file came from, or where it was first looked
    for.

    Raises StormdrawError if a file is not a manifest.
    """
    tables = [
        _files_of(source, path, wanted_lead)
        for source, paths in manifests_by_source.items()
        for path in paths
    ]
    if not tables:
        return pd.DataFrame(columns=list(COLUMNS))
    order = ["source", "valid", "member", "statistic", "lead"]
    return pd.concat(tables, ignore_index=True).sort_values(order, ignore_index=True)


def _files_of(source: str, path: str | Path, wanted_lead: WantedLead) -> pd.DataFrame:
    """The files of one manifest, which has a row for each variable."""
    messages = read_manifest(path)
    messages = messages.sort_values(_FILE, kind="stable")
    files = pd.DataFrame(
        [
            dict(zip(_FILE, key, strict=True)) | _summary(list(rows))
            for key, rows in itertools.groupby(
                messages.itertuples(index=False),
                key=lambda row: tuple(getattr(row, name) for name in _FILE),
            )
        ]
    )
    files["source"] = source
    files["valid"] = files["init"] + pd.to_timedelta(files["lead"], unit="h")
    replaced = files["status"] == OLDER_RUN
    files["replaced_by"] = files["file"].where(replaced, "")
    columns = (files[name] for name in ("valid", "shortest_lead", "lead", "status"))
    files["lead"] = [
        wanted_lead(valid, shortest) if status == OLDER_RUN else lead
        for valid, shortest, lead, status in zip(*columns, strict=True)
    ]
    files["init"] = files["valid"] - pd.to_timedelta(files["lead"], unit="h")
    return files[list(COLUMNS)]


def _summary(messages: Sequence[Any]) -> dict[str, Any]:
    """The columns of the audit that follow from the messages of one file."""
    absent = [row for row in messages if row.status in (ABSENT, EXCLUDED)]
    decisive = absent or messages
    reasons = dict.fromkeys(row.reason for row in decisive if row.reason)
    return {
        "shortest_lead": min(variable(row.variable).shortest_lead for row in messages),
        "status": decisive[0].status,
        "lacks": " ".join(row.variable for row in absent),
        "reason": ", and ".join(reasons),
        "bytes": sum(row.bytes for row in messages),
        "origin": messages[0].origin,
    }


def require_enough(table: pd.DataFrame, settings: Settings) -> None:
    """Raise StormdrawError if a source lacks a larger share of its files than allowed.

    Files of single members do not count: `require_members` checks their number.
    """
    limit = settings.archive.missing_limit
    for source, files in table.groupby("source"):
        files = files[files["status"] != EXCLUDED]
        absent = files[files["status"] == ABSENT]
        if has_members(settings, str(source)) or len(absent) <= limit * len(files):
            continue
        first = absent.head(_NAMED)
        named = ", ".join(
            f"{valid:%Y-%m-%d %H} UTC ({reason})"
            for valid, reason in zip(first["valid"], first["reason"], strict=True)
        )
        more = f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
        raise StormdrawError(
            f"archive.missing_limit: {len(absent)} of {len(files)} files of {source} are absent or "
            f"unusable, more than {limit:.1%}: {named}{more}; add a source to archive.source, "
            "choose other periods, or raise the limit"
        )


def write_audit(table: pd.DataFrame, path: str | Path) -> None:
    """Write the table as CSV, atomically."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, date_format="%Y-%m-%dT%H:%M")


def read_audit(path: str | Path) -> pd.DataFrame:
    """Read a table written by `write_audit`.

    Raises StormdrawError if the file is not an audit.
    """
    try:
        return pd.read_csv(path, parse_dates=["valid", "init"], keep_default_na=False)
    except (OSError, ValueError) as error:
        raise StormdrawError(
            f"{path}: not an audit of the archive: {' '.join(str(error).split())}; delete it and "
            "run again"
        ) from None
