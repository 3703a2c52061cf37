"""What became of a file for each fault of a server, as a table: docs/archive_faults.md.

    python tests/benchmarks/archive_faults.py [path of the table]

Each fault is one of a loopback server, the same as in tests/unit/archive. A day is fetched from it
three times: with the faulty source alone, the same where hours may be missing, and with a second
source that has the file without fault. Waits are shortened so that a row takes seconds. Anything
but the right file, an absence or an error is an error here.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "archive"))

from archive_faults import TROUBLES, Trouble
from archive_mirror import settings, write_analyses
from archive_server import serving
from timing import hardware

from stormdraw.archive import remote, session, transfer
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.errors import StormdrawError

ROOT = Path(__file__).parents[2]
PATH = "/hrrr.20260601/conus/hrrr.t01z.wrfsfcf00.grib2"
STORED = "hrrr.20260601/hrrr.t01z.wrfsfcf00.grib2"

HEAD = """# What becomes of a file when its server fails

Made by `make archive-faults`. One file of a day is fetched from a server on the same machine that
fails in one way: from that source alone, from it with `missing: skip`, and with a second source
behind it. Either the right file comes in the end, or the hour is absent for a reason, or an error
says what is wrong; no bad file ever gets a final name. Time-outs and waits are shortened to at most
2 s.

{hardware}

| fault | the only source | with `missing: skip` | with a second source | seconds |
|---|---|---|---|---|
"""


def shorten_waits() -> None:
    """Fewer tries and shorter waits than in a real run."""
    session._RETRIES = 1
    session._RETRIES_WITHOUT_ANSWER = 0
    session._SECONDS_BEFORE_RETRY = 0.0
    session.TIMEOUT = (2.0, 2.0)
    transfer.SECONDS_TO_SPARE = 2.0
    remote._SECONDS_BEFORE_RETRY = 0.0


def outcome(
    trouble: Trouble, folder: Path, good: bytes, missing: str = "fail", second_source: bool = False
) -> str:
    """The outcome in words. Raises AssertionError if a bad file was taken."""
    day = folder / "day" / "manifest.csv"
    write_analyses(folder / "site")
    if second_source:
        for ending in ("", ".idx"):
            source = folder / "site" / (PATH + ending).lstrip("/")
            (source.parent.parent / source.name).write_bytes(source.read_bytes())
    with serving(folder / "site") as server:
        trouble.spoil(server, PATH)
        run = settings(archive={"source": {"mirror": server.address}, "missing": missing})
        try:
            fetch_day(run, "hrrr", "20260601", day)
        except StormdrawError as error:
            if (folder / "day" / STORED).exists():
                raise AssertionError(f"{trouble.name}: a file was left") from error
            text = str(error).replace(server.address, "")
            return f"error: {text}".replace("|", "\\|")
    table = read_manifest(day)
    absent = table[table["status"] == "absent"]
    if len(absent):
        told = ", and ".join(dict.fromkeys(absent["reason"])).replace(server.address, "")
        return f"absent: {told}"
    if (folder / "day" / STORED).read_bytes() != good:
        raise AssertionError(f"{trouble.name}: a bad file was taken for good")
    return "the right file"


def main(table: str = str(ROOT / "docs" / "archive_faults.md")) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shorten_waits()
        write_analyses(folder / "site")
        fetch_day(settings(), "hrrr", "20260601", folder / "day" / "manifest.csv", folder / "site")
        good = (folder / "day" / STORED).read_bytes()
        for number, trouble in enumerate(TROUBLES):
            begun = time.perf_counter()
            alone = outcome(trouble, folder / f"{number}-alone", good)
            skipped = outcome(trouble, folder / f"{number}-skipped", good, missing="skip")
            if skipped == alone and skipped.startswith("error"):
                skipped = "the same error"
            helped = outcome(trouble, folder / f"{number}-helped", good, second_source=True)
            seconds = time.perf_counter() - begun
            rows.append(f"| {trouble.name} | {alone} | {skipped} | {helped} | {seconds:.1f} |\n")
            print(rows[-1], end="", flush=True)
    Path(table).write_text(HEAD.format(hardware=hardware()) + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
