"""Speed of fetching from a loopback archive beside `curl` and Herbie, and of planning a year.

    python tests/benchmarks/archive.py [page to write [files [megabytes of each]]]

A day of files of the size of real ones is served on this machine, at once and with the delay of a
cloud. Ours finds each file, reads its inventory, fetches the wanted ranges, verifies every message
and stores it. `curl` fetches the same bytes by the same ranges from addresses it is given, over one
connection, and writes them. Herbie finds and fetches them one after the other, and verifies
nothing. Best of three rounds, all in each round. Then a year of hourly analyses is planned by
`snakemake -n`; no data are needed for that.
"""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "archive"))

import numpy as np
import yaml
from archive_inventory import write_inventory
from archive_messages import message, variable_message
from archive_mirror import STATE, settings
from timing import hardware, table

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.herbie_library import herbie
from stormdraw.archive.manifest import read_manifest
from stormdraw.archive.sources import Website, candidates
from stormdraw.archive.wanted import requests
from stormdraw.messages import opened, read_messages
from stormdraw.settings import Settings
from stormdraw.variables import VARIABLES

import eccodes  # isort: skip  (after stormdraw)

ROOT = Path(__file__).parents[2]
ROUNDS = 3
# Seconds that a cloud's storage takes to begin an answer.
LATENCY = 0.03
DAY = datetime(2026, 6, 1)


def large(small: bytes, megabytes: float) -> bytes:
    """A message on HRRR's full grid, packed in as many bits as give the size."""
    points = HRRR.shape[0] * HRRR.shape[1]
    with opened(small) as handle:
        eccodes.codes_set(handle, "Nx", HRRR.shape[1])
        eccodes.codes_set(handle, "Ny", HRRR.shape[0])
        bits = max(1, round(megabytes * 8e6 / points))
        eccodes.codes_set(handle, "bitsPerValue", bits)
        values = np.random.default_rng(0).normal(280.0, 5.0, points)
        eccodes.codes_set_values(handle, values)
        return eccodes.codes_get_message(handle)


def write_site(root: Path, files: int, megabytes: float) -> None:
    """`files` hours of analyses, the wanted messages apart from each other as in real files."""
    for hour in range(files):
        init = DAY + timedelta(hours=hour)
        path = root / f"hrrr.20260601/conus/hrrr.t{hour:02d}z.wrfsfcf00.grib2"
        path.parent.mkdir(parents=True, exist_ok=True)
        decoy = message((0, 2, 1), (103, 10), interval=(2, 1, 1), init=init)
        parts = []
        for name in STATE:
            parts.append(large(variable_message(name, init, 0), megabytes / len(STATE)))
            # The two wind components stand side by side.
            parts.append(b"" if name == "U10" else decoy)
        path.write_bytes(b"".join(parts))
        write_inventory(path)


def curl(address: str, ranges: dict[str, list[tuple[int, int]]], output: Path) -> float:
    """Seconds that one `curl` takes for the same ranges of all files."""
    lines = ["silent", "fail"]
    for number, (path, parts) in enumerate(ranges.items()):
        for part, (start, end) in enumerate(parts):
            lines += [
                *(["next", "silent", "fail"] if len(lines) > 2 else []),
                f'url = "{address}/{path}"',
                f'range = "{start}-{end - 1}"',
                f'output = "{output}/{number}.{part}"',
            ]
    configuration = output / "curl.txt"
    configuration.write_text("\n".join(lines) + "\n")
    begun = time.perf_counter()
    subprocess.run(["curl", "--config", str(configuration)], check=True)
    return time.perf_counter() - begun


def wanted_ranges(root: Path) -> dict[str, list[tuple[int, int]]]:
    """(start, end) of the wanted bytes of each file, neighbours together."""
    found: dict[str, list[tuple[int, int]]] = {}
    for idx in sorted(root.rglob("*.idx")):
        lines = [line.split(":") for line in idx.read_text().splitlines()]
        size = idx.with_suffix("").stat().st_size
        ends = [*(int(line[1]) for line in lines[1:]), size]
        ranges: list[tuple[int, int]] = []
        for line, end in zip(lines, ends, strict=True):
            if "max" in line[5]:
                continue
            if ranges and ranges[-1][1] == int(line[1]):
                ranges[-1] = (ranges[-1][0], end)
            else:
                ranges.append((int(line[1]), end))
        found[str(idx.with_suffix("").relative_to(root))] = ranges
    return found


def compare(folder: Path, latency: float, files: int, ranges: dict) -> str:
    """A table of what each takes for the same messages."""
    total = sum(end - start for parts in ranges.values() for start, end in parts) / 1e6
    seconds: dict[str, list[float]] = {}
    with served(folder / "site", latency) as address:
        run = day_of(files, address)
        work = {
            "curl, one connection": lambda place: curl(address, ranges, place),
            "stormdraw, four connections": lambda place: fetch(run, place),
            "Herbie, nothing verified": lambda place: herbies(run, place),
        }
        for _ in range(ROUNDS):
            for name, action in work.items():
                place = Path(tempfile.mkdtemp(dir=folder))
                seconds.setdefault(name, []).append(action(place))
    best = {name: min(taken) for name, taken in seconds.items()}
    limit = best["curl, one connection"]
    rows = [
        [name, f"{s:.2f}", f"{files / s:.1f}", f"{total / s:.0f}", f"{s / limit:.2f}"]
        for name, s in best.items()
    ]
    delay = f"{1000 * latency:.0f} ms before each answer" if latency else "answered at once"
    headings = [f"{files} files, {total:.0f} MB, {delay}", "seconds", "files/s", "MB/s", "of curl"]
    return table(headings, rows)


def day_of(files: int, address: str) -> Settings:
    """A run that needs `files` hours of a day."""
    training = {"start": DAY, "end": DAY + timedelta(hours=files - 3)}
    test = {"start": DAY + timedelta(hours=files - 2), "end": DAY + timedelta(hours=files - 1)}
    return settings(
        periods={
            name: {end: time.isoformat() for end, time in period.items()}
            for name, period in (("training", training), ("test", test))
        },
        archive={"source": {"mirror": address}},
    )


def fetch(run: Settings, folder: Path) -> float:
    """Seconds to fetch, verify and store the same messages."""
    begun = time.perf_counter()
    fetch_day(run, "hrrr", "20260601", folder / "manifest.csv")
    seconds = time.perf_counter() - begun
    listed = read_manifest(folder / "manifest.csv")
    assert len(listed) == len(requests(run, "hrrr", "20260601")) * len(STATE)
    return seconds


def herbies(run: Settings, folder: Path) -> float:
    """Seconds that Herbie takes for the same messages."""
    place = Website(run.archive.source.mirror)
    wanted = "|".join(VARIABLES[name].inventory_pattern(0) for name in STATE)
    fetched = []

    class Pointed(herbie().Herbie):
        """Herbie that looks at the server and nowhere else."""

        def find_grib(self):
            self.SOURCES = {"mirror": address}
            return super().find_grib()

    begun = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        for request in requests(run, "hrrr", "20260601"):
            (_, address), *_ = candidates(request, place).items()
            asked = Pointed(
                request.init,
                model=request.model,
                product=request.product,
                fxx=request.lead,
                save_dir=folder,
                verbose=False,
            )
            fetched.append(asked.download(wanted, errors="raise"))
    seconds = time.perf_counter() - begun
    assert all(len(list(read_messages(path))) == len(STATE) for path in fetched)
    return seconds


def processor_time(folder: Path, files: int) -> float:
    """Processor seconds of ours a file, from a server that answers at once."""
    with served(folder / "site", 0.0) as address:
        before = os.times()
        fetch(day_of(files, address), Path(tempfile.mkdtemp(dir=folder)))
        after = os.times()
    return (after.user + after.system - before.user - before.system) / files


@contextlib.contextmanager
def served(site: Path, latency: float) -> Iterator[str]:
    """The address of a server in a process of its own: it shares no thread's time with us."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__)), "serve", str(site), str(latency)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


def serve(root: str, latency: str) -> None:
    """What `served` starts."""
    from archive_server import serving

    with serving(Path(root)) as archive:
        archive.latency = float(latency)
        print(archive.address, flush=True)
        archive.stopped.wait()


YEAR = {
    "title": "A year of hours",
    "periods": {
        "training": {"start": "2025-01-01T00:00", "end": "2025-12-31T23:00"},
        "test": {"start": "2026-01-02T00:00", "end": "2026-01-31T00:00"},
    },
    "leads": [1, 2, 3],
    "archive": {"source": ["aws", "google"], "missing": "older_run"},
    "models": ["ddpm_residual"],
    "ensembles": {
        "systems": [
            {"name": "ddpm_residual", "method": "diffusion", "model": "ddpm_residual"},
            {"name": "persistence", "method": "baseline", "kind": "persistence"},
            {"name": "climatology", "method": "baseline", "kind": "climatology"},
        ]
    },
    "scores": {"reference": "persistence"},
}


def plan_a_year() -> str:
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "year.yaml"
        config.write_text(yaml.safe_dump(YEAR))
        begun = time.perf_counter()
        plan = subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules"),
                *("--directory", scratch, "--snakefile", str(ROOT / "Snakefile")),
                *("--cores", "2", "--configfile", str(config)),
            ],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        seconds = time.perf_counter() - begun
        if plan.returncode:
            raise SystemExit(plan.stdout + plan.stderr)
        total = next(line for line in plan.stdout.splitlines() if line.startswith("total"))
    return (
        f"A year of hours, {total.split()[1]} jobs, is planned in {seconds:.1f} s (limit: 60 s).\n"
    )


OPENING = """# What fetching costs

Written by `make benchmark-archive`. Ratios are of one run; seconds depend on the machine and on
what else it does. Each file holds seven wanted messages in six ranges. `curl` is given addresses
and ranges; stormdraw finds each file, reads its inventory, fetches the ranges, compares every
message with its inventory and with what was asked for, and stores it with its checksum.

"""


def main(page: str | None = None, files: str = "24", megabytes: str = "5") -> None:
    count = int(files)
    parts = [f"{OPENING}{hardware()}\n\n## From a server on the same machine\n\n"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_site(folder / "site", count, float(megabytes))
        ranges = wanted_ranges(folder / "site")
        for latency in (0.0, LATENCY):
            parts.append(compare(folder, latency, count, ranges) + "\n")
        busy = 1000 * processor_time(folder, count)
    parts.append(
        f"A file takes {busy:.0f} ms of one core, which is the limit where the network is fast: "
        "Python threads share it, so that further connections help against waiting only. Jobs of "
        "several days run side by side (`downloads`).\n\n## Planning\n\n"
    )
    parts.append(plan_a_year())
    print("".join(parts))
    if page:
        Path(page).write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
