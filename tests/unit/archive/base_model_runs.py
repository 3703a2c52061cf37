"""A configuration of any base model, for tests."""

from datetime import datetime

from archive_mirror import settings

from stormdraw.settings import Settings

DAY = datetime(2026, 9, 1)
STATE = ("REFC", "T2M", "U10", "V10")


def run_of(model: str, source: object, **changes: object) -> Settings:
    """Training on hours 0 to 3 UTC, and a case at 6 UTC."""
    periods = {
        "training": {"start": "2026-09-01T00:00", "end": "2026-09-01T03:00"},
        "test": {"start": "2026-09-01T06:00", "end": "2026-09-01T07:00"},
    }
    archive = {"model": model, "source": source}
    given = {"periods": periods, "variables": list(STATE), "archive": archive}
    return settings(**({"fields": {"static": []}} | given | changes))
