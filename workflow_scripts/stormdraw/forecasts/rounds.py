"""Forecasts from every cycle as it comes: one round looks for the newest and draws it."""

import fcntl
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from stormdraw.errors import StormdrawError
from stormdraw.forecasts.configuration import forecast_configuration
from stormdraw.forecasts.folder import FOLDER, page_of
from stormdraw.forecasts.start import forecast_of
from stormdraw.forecasts.upkeep import cycles_there, remove_before
from stormdraw.settings import load_settings
from stormdraw.times import format_init, now_utc, parse_init

Say = Callable[[str], None]


def one_round(
    config: Mapping[str, Any],
    files: Sequence[Path],
    snakemake: Sequence[str],
    say: Say,
) -> int:
    """Draw the newest cycle unless it is there, then remove what is too old; the exit status.

    `snakemake` is the command without the cycle. Each round that does something, or fails, adds a
    line to results/forecasts/rounds.jsonl. Raises StormdrawError if another round is at work.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _alone(FOLDER / ".lock"):
        begun, started = now_utc(), time.monotonic()
        try:
            start = forecast_of({**config, "cycle": "latest"}, files, looks=True)
        except StormdrawError as error:
            _note(begun, state="nothing to draw", told=[str(error)])
            say(str(error))
            return 1
        for remark in start.remarks:
            say(remark)
        (name,) = map(str, start.config["cycle"])
        if page_of(parse_init(name)).exists():
            say(f"the page of {name} is there already")
            return 0
        status = subprocess.run([*snakemake, "--config", f"cycle={name}"], check=False).returncode
        seconds = round(time.monotonic() - started)
        state = "failed" if status else "drawn"
        _note(begun, cycle=name, state=state, seconds=seconds, told=start.remarks)
        if status == 0:
            _keep(config, files, say)
        return status


def _keep(config: Mapping[str, Any], files: Sequence[Path], say: Say) -> None:
    """Remove cycles that are older than `forecast.keep_days`, counted from the newest."""
    cycles = cycles_there()
    made = forecast_configuration(config, files)
    run = load_settings({**made, "cycle": [int(format_init(each)) for each in cycles]}, *files)
    if run.forecast.keep_days is None:
        return
    oldest = cycles[-1] - timedelta(days=run.forecast.keep_days)
    for removed in remove_before(oldest, run):
        say(f"removed the cycle {removed:%Y-%m-%d %H} UTC: forecast.keep_days")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with open(path, "a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StormdrawError(
                f"{path}: another round is at work; this one leaves the cycle to it"
            ) from None
        yield


def _note(begun: datetime, **what: Any) -> None:
    line = json.dumps({"begun": f"{begun:%Y-%m-%dT%H:%M:%S}Z", **what})
    with open(FOLDER / "rounds.jsonl", "a", encoding="utf-8") as stream:
        stream.write(line + "\n")
