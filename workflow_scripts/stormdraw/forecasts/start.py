"""The start of a forecast: its configuration, with the cycles it is of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stormdraw.errors import StormdrawError
from stormdraw.forecasts.configuration import forecast_configuration
from stormdraw.forecasts.cycles import newest_cycle, now_of, require_there
from stormdraw.forecasts.folder import page_of
from stormdraw.forecasts.settings import LATEST
from stormdraw.settings import Settings, load_settings
from stormdraw.times import format_init, now_utc


@dataclass(frozen=True)
class Start:
    """The configuration of a forecast with its cycles as YYYYMMDDHH, and what to say of these.

    `outdated` are manifests that say of files that they are absent, which have come since.
    """

    config: dict[str, Any]
    remarks: list[str]
    outdated: list[Path] = field(default_factory=list)


def forecast_of(config: Mapping[str, Any], files: Iterable[Path], looks: bool) -> Start:
    """The start of a forecast. Without `looks`, the archive is not asked for the cycle.

    Raises StormdrawError if the configuration is wrong, or the cycle is not there.
    """
    files = list(files)
    made = forecast_configuration(config, files)

    def run_of(*cycles: Any) -> Settings:
        return load_settings({**made, "cycle": [*cycles]}, *files)

    # Any time will do here, to check the rest.
    latest = made["cycle"] == LATEST
    given = made["cycle"] if isinstance(made["cycle"], list) else [made["cycle"]]
    run = run_of(*([_any_time(made)] if latest else given))
    now = now_of(run)
    cycles, remarks = sorted(set(run.cycle)), []
    if latest:
        if not looks:
            raise StormdrawError("cycle is latest in a job; the run that started it knows the time")
        newest, passed = newest_cycle(run_of, now)
        cycles = [newest]
        age = round((now - newest).total_seconds() / 3600)
        remarks = [f"skipping the cycle {one}" for one in passed]
        remarks.append(f"the newest cycle is {newest:%Y-%m-%d %H} UTC, {age} h old")
    elif looks:
        require_there(run_of, [one for one in cycles if not page_of(one).exists()], now)
    return Start({**made, "cycle": [int(format_init(one)) for one in cycles]}, remarks)


def _any_time(made: Mapping[str, Any]) -> Any:
    return made["archive"].get("simulated", {}).get("now") or now_utc().replace(
        minute=0, second=0, microsecond=0
    )
