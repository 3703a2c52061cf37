"""Fetches an hour of MRMS, at which files of a test's own stand."""

from datetime import datetime, timedelta

import pytest
from archive_mirror import settings

from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.errors import StormdrawError

SEVEN = datetime(2026, 6, 1, 7)
# Files that are not 72 s apart from the day's start on, so that they stand beside its 1,200.
AFTER, BEFORE, LATER = (SEVEN + timedelta(seconds=s) for s in (40, -50, 150))


def run_with(source=("aws",), truth=None, **archive):
    given = {"source": source if isinstance(source, dict) else list(source)}
    truth = truth or {"REFC": "mrms"}
    return settings(archive={**given, "truth": truth, **archive}, variables=["REFC", "T2M"])


def fetched(run, folder):
    """The row of the manifest of the hour, after fetching the day."""
    fetch_day(run, "truth", "20260601", folder / "manifest.csv")
    (row,) = read_manifest(folder / "manifest.csv").to_dict("records")
    return row


def refusal(run, folder):
    """The one line that fetching ends with; nothing is left of it."""
    with pytest.raises(StormdrawError) as error:
        fetched(run, folder)
    assert "\n" not in str(error.value)
    assert not list(folder.rglob("*.grib2"))
    assert not (folder / "manifest.csv").exists()
    return str(error.value)


def near_the_hour(path):
    time = datetime.strptime(path[-24:-9], "%Y%m%d-%H%M%S")
    return abs((time - SEVEN).total_seconds()) < 400
