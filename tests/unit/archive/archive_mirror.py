"""Small mirrors of the archive, and configurations that ask for what is in them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from archive_inventory import write_inventory
from archive_messages import message, variable_message

from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.fields.decoding import Messages
from stormdraw.settings import Settings, load_settings

STATE = ("REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN")
DAY = datetime(2026, 6, 1)
HOURS = (0, 1, 6, 7)
MAXIMUM, HOUR = 2, 1

# A message that a search for 10 m wind speed or CAPE must pass over.
DECOYS = (
    {"parameter": (0, 2, 1), "surface": (103, 10), "interval": (MAXIMUM, 1, HOUR)},
    {"parameter": (0, 7, 6), "surface": (108, 18000), "second_surface": (108, 0)},
)


def settings(**changes: Any) -> Settings:
    """Training hours 00 and 01 UTC of 2026-06-01, and one case at 06 UTC with a lead of 1 h."""
    config = {
        "title": "test",
        "periods": {
            "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T01:00"},
            "test": {"start": "2026-06-01T06:00", "end": "2026-06-01T07:00"},
        },
        "leads": [1],
        "ensembles": {
            "systems": [{"name": "persistence", "method": "baseline", "kind": "persistence"}]
        },
    }
    return load_settings(config | changes)


def reference(minimum_members: int = 8, **changes: Any) -> Settings:
    """The same with HREF's members as a system."""
    archive = {"source": "simulated", "reference": "href"} | changes.pop("archive", {})
    href = {"name": "href", "method": "reference", "minimum_members": minimum_members}
    return settings(archive=archive, ensembles={"systems": [href]}, **changes)


def write_file(
    path: Path,
    init: datetime,
    lead: int,
    names: tuple[str, ...] = STATE,
    inventory: bool = True,
    derived: int | None = None,
) -> Path:
    """A GRIB2 file with decoys around the named variables, each with values of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    decoys = [message(init=init, lead=lead, **decoy) for decoy in DECOYS]
    wanted = [
        variable_message(name, init, lead, value=10.0 * index + lead, derived=derived)
        for index, name in enumerate(names)
    ]
    content = decoys[0] + b"".join(wanted) + decoys[1]
    path.write_bytes(content)
    if inventory:
        write_inventory(path)
    return path


def write_analyses(root: Path, inventory: bool = True) -> None:
    """The analyses that `settings()` needs, in the layout of the bucket."""
    for hour in HOURS:
        path = root / f"hrrr.20260601/conus/hrrr.t{hour:02d}z.wrfsfcf00.grib2"
        write_file(path, DAY + timedelta(hours=hour), 0, inventory=inventory)


# HREF's ten files 1 h after the cycle of 2026-06-01 06 UTC: (init, lead) by path.
MEMBERS = {
    "nam.20260601/nam.t06z.conusnest.hiresf01.tm00.grib2": (DAY.replace(hour=6), 1),
    "nam.20260601/nam.t00z.conusnest.hiresf07.tm00.grib2": (DAY, 7),
    "hrrr.20260601/conus/hrrr.t06z.wrfsfcf01.grib2": (DAY.replace(hour=6), 1),
    "hrrr.20260601/conus/hrrr.t00z.wrfsfcf07.grib2": (DAY, 7),
    "hiresw.20260601/hiresw.t00z.fv3_5km.f07.conus.grib2": (DAY, 7),
    "hiresw.20260531/hiresw.t12z.fv3_5km.f19.conus.grib2": (datetime(2026, 5, 31, 12), 19),
    "hiresw.20260601/hiresw.t00z.arw_5km.f07.conus.grib2": (DAY, 7),
    "hiresw.20260531/hiresw.t12z.arw_5km.f19.conus.grib2": (datetime(2026, 5, 31, 12), 19),
    "hiresw.20260601/hiresw.t00z.arw_5km.f07.conusmem2.grib2": (DAY, 7),
    "hiresw.20260531/hiresw.t12z.arw_5km.f19.conusmem2.grib2": (datetime(2026, 5, 31, 12), 19),
}


def write_members(root: Path) -> None:
    """All of `MEMBERS`."""
    for path, (init, lead) in MEMBERS.items():
        write_file(root / path, init, lead)


def fetch_analyses(folder: Path, run: Settings) -> pd.DataFrame:
    """The manifest of HRRR's analyses of the day, fetched for a run into a folder."""
    manifest = analyses_manifest(folder)
    fetch_day(run, "hrrr", "20260601", manifest)
    return read_manifest(manifest)


def analyses_manifest(folder: Path) -> Path:
    """Where `fetch_analyses` writes it."""
    return folder / "hrrr" / "20260601" / "manifest.csv"


def names_read(folder: Path, place: int, names: list[str]) -> list[str]:
    """The variables read of one of the day's hours, of those asked for."""
    messages = Messages(analyses_manifest(folder))
    read = messages.reading(messages.by_valid_time()[place], names)
    return [] if read is None else [field.name for field in read()]


def absent_times(table: pd.DataFrame) -> list[datetime]:
    """The valid times of which a manifest lacks something, in order."""
    missing = table[table["status"].isin(["absent", "excluded"])]
    valid = missing["init"] + pd.to_timedelta(missing["lead"], unit="h")
    return sorted(time.to_pydatetime() for time in set(valid))
