"""Decoding beside ecCodes alone and cfgrib, and what memory it takes."""

import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import eccodes
import numpy as np
from fields_data import write_hours
from timing import best_times, table

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.decoding import Messages, Read
from stormdraw.fields.target import Checks, Target
from stormdraw.fields.threads import in_order
from stormdraw.fields.writing import read_together
from stormdraw.grib_values import decode
from stormdraw.messages import opened, read_grid, read_header, read_messages
from stormdraw.variables import DEFAULT_STATE

ROUNDS = 4
STATE_BYTES = 4 * len(DEFAULT_STATE) * HRRR.shape[0] * HRRR.shape[1]
REAL = Path(
    os.environ.get("STORMDRAW_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "real")
)


@dataclass(frozen=True)
class Work:
    """Hours to put on the target grid, as normalising does."""

    target: Target
    pieces: list[tuple[tuple[str, ...], datetime, Read]]

    @classmethod
    def of(cls, manifest_path: Path, hours: int) -> "Work":
        messages = Messages(manifest_path)
        listed = messages.by_valid_time()
        grid = messages.first_grid(listed)
        pieces = [
            (group, one.valid, messages.reading(one, group, grid))
            for one in listed[:hours]
            for group in read_together(DEFAULT_STATE)
        ]
        return cls(Target(grid), pieces)

    def run(self, threads: int = 1) -> None:
        """Into memory that the hours share."""
        state = np.empty((len(DEFAULT_STATE), *self.target.grid.shape), np.float32)

        def place(piece: tuple) -> dict[str, np.ndarray]:
            _, valid, read = piece
            return self.target.place(read(), Checks(valid, "keep"))[0]

        for placed in in_order(place, self.pieces, threads):
            for name, field in placed.items():
                state[DEFAULT_STATE.index(name)] = field


def report_decode(folder: Path) -> str:
    manifest = folder / "full" / "manifest.csv"
    if not manifest.exists():
        write_hours(folder / "full", HRRR, 4)
    hour, hours = Work.of(manifest, 1), Work.of(manifest, 4)
    content = [(manifest.parent / f"{hour:02}.grib2").read_bytes() for hour in range(4)]
    messages = [list(read_messages(manifest.parent / f"{hour:02}.grib2")) for hour in range(4)]

    def bare(kind: type, hour: int) -> None:
        for message in messages[hour]:
            handle = eccodes.codes_new_from_message(message)
            eccodes.codes_get_array(handle, "values", ktype=kind)
            eccodes.codes_release(handle)

    seconds = best_times(
        {
            "ecCodes alone, float64": lambda: bare(float, 0),
            "ecCodes alone, float32": lambda: bare(np.float32, 0),
            "stormdraw": lambda: hour.run(),
            "four hours, two threads": lambda: hours.run(2),
        },
        ROUNDS,
    )
    limit = seconds["ecCodes alone, float64"]
    rows = [
        [name, f"{1000 * taken / share:.0f}", f"{taken / share / limit:.2f}"]
        for name, taken in seconds.items()
        for share in [4 if name.startswith("four") else 1]
    ]
    size = sum(map(len, content)) / len(content) / 1e6
    return (
        f"Seven messages of the full grid, {size:.1f} MB packed as HRRR packs them; milliseconds "
        "for an hour. stormdraw reads them from the disk, compares their checksums and grids, "
        "looks for missing and for impossible values, and puts them into one float32 array.\n\n"
        + table(["", "ms", "of ecCodes alone"], rows)
        + "\n"
        + _memory(manifest)
        + "\n"
        + _beside_cfgrib()
    )


def _memory(manifest: Path) -> str:
    """From processes of their own, since the largest size of this one says nothing."""
    rows = []
    for threads in (1, 2):
        taken = _measure("states", manifest, threads)
        rows.append(
            [
                f"decoding full-grid hours, {threads} thread{'s' if threads > 1 else ''}: states",
                f"{taken / STATE_BYTES:.1f}",
                "3",
            ]
        )
    small = manifest.parent.parent / "small" / "manifest.csv"
    if not small.exists():
        write_hours(small.parent, HRRR.crop(slice(78), slice(41)), 20)
    rows.append(
        [
            "growth from the 100th to the 1000th file: MB",
            f"{_measure('growth', small) / 1e6:.1f}",
            "0",
        ]
    )
    return table(["memory beyond the libraries'", "", "limit"], rows)


def _measure(what: str, manifest: Path, threads: int = 1) -> int:
    code = (
        "import stormdraw, fields_decode, pathlib; "
        f"print(fields_decode.measured({what!r}, pathlib.Path({str(manifest)!r}), {threads}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    return int(run.stdout)


def measured(what: str, manifest: Path, threads: int) -> int:
    """Bytes that the work takes in this process."""
    work = Work.of(manifest, 24)
    if what == "states":
        before = _resident()
        # A process takes over its parent's largest size, until it is told to forget it.
        Path("/proc/self/clear_refs").write_text("5")
        work.run(threads)
        return _largest() - before
    for _ in range(5):
        work.run(threads)
    before = _resident()
    for _ in range(45):
        work.run(threads)
    return _resident() - before


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _largest() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def _beside_cfgrib() -> str:
    path = REAL / "hrrr_idaho" / "hrrr.20180722" / "hrrr.t09z.wrfsfcf01.grib2"
    if not path.is_file():
        return f"No real file at {path}: cfgrib is left out. STORMDRAW_REAL_DATA says where.\n"
    import cfgrib

    def theirs() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for dataset in cfgrib.open_datasets(str(path), backend_kwargs={"indexpath": ""}):
                dataset.load()

    def ours() -> None:
        """Search all 52 headers for the state's variables, as verifying a file does."""
        for message in read_messages(path):
            with opened(message) as handle:
                header = read_header(handle)
                if header.variable and header.variable.name in DEFAULT_STATE:
                    read_grid(handle)
                    decode(handle)

    seconds = best_times({"cfgrib.open_datasets": theirs, "stormdraw": ours}, 1)
    rows = [
        [name, f"{1000 * taken:.0f}", f"{seconds['cfgrib.open_datasets'] / taken:.0f}"]
        for name, taken in seconds.items()
    ]
    return table(["a real file of 52 messages", "ms", "times faster"], rows)
