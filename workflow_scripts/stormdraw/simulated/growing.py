"""The simulated archive of forecasts, which grows by the clock as the clouds do.

Jobs fetch from it and none makes it: it is made when the first of them looks, and made anew when
one needs more. The world is the same each time, and so is each of its files, to the byte.
"""

import fcntl
import logging
from pathlib import Path

from stormdraw.files import replacing_folder
from stormdraw.provenance import digest
from stormdraw.settings import Settings
from stormdraw.simulated.mirror import write_archive
from stormdraw.simulated.plan import extent
from stormdraw.times import format_init

logger = logging.getLogger(__name__)

_MADE_FOR = ".made_for"


def grown_archive(run: Settings, folder: Path) -> Path | None:
    """The folder of the archive with all that a forecast or its verification needs.

    None for a study, whose archive is made by a job, and for a run from another archive. Jobs at
    the same time wait for the one that makes it.
    """
    if not (run.simulated and run.cycle):
        return None
    wanted = _contents(run)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f".{folder.name}.lock"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / _MADE_FOR
        if not (made.exists() and made.read_text() == wanted):
            with replacing_folder(folder) as grown:
                world = folder.with_name(f"{folder.name}_world.nc")
                write_archive(run, grown, world, logger.info)
                (grown / _MADE_FOR).write_text(wanted)
    return folder


def _contents(run: Settings) -> str:
    """A digest of what decides the content of the archive."""
    world = {"archive": {"simulated": {"now", "late"}}}
    return digest(
        [
            run.model_dump(mode="json", include={"seed", "leads", "archive"}, exclude=world),
            list(run.roles.every),
            [format_init(time) for time in [*extent(run), *run.cycle]],
            list(map(str, run.driving_forecasts())),
        ]
    )
