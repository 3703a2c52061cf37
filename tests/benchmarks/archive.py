"""Speed of fetching from a loopback archive beside `curl`, and of planning a year.

    python tests/benchmarks/archive.py [files] [megabytes of each]

A day of files of the size of real ones is served on this machine. Ours finds each file, reads its
inventory, fetches the wanted ranges, verifies every message and stores it; `curl` fetches the same
bytes by the same ranges from addresses it is given, over one connection, and writes them. Best of
three rounds, both in each round. Then a year of hourly analyses is planned by `snakemake -n`; no
data are needed for that.
"""

import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "archive"))

import numpy as np
import yaml
from archive_messages import message, variable_message
from archive_mirror import STATE, settings

from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.inventory import write_inventory
from stormdraw.archive.manifest import read_manifest
from stormdraw.grids import HRRR
from stormdraw.messages import opened

import eccodes  # isort: skip  (after stormdraw)

ROOT = Path(__file__).parents[2]
ROUNDS = 3
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


def curl(address: str, table: dict[str, list[tuple[int, int]]], output: Path) -> float:
    """Seconds that one `curl` takes for the same ranges of all files."""
    lines = ["silent", "fail"]
    for number, (path, ranges) in enumerate(table.items()):
        for part, (start, end) in enumerate(ranges):
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


def compare(files: int, megabytes: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_site(folder / "site", files, megabytes)
        ranges = wanted_ranges(folder / "site")
        total = sum(end - start for parts in ranges.values() for start, end in parts)
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__)), "serve", str(folder / "site")],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            ours, theirs = [], []
            for number in range(ROUNDS):
                output = folder / f"curl{number}"
                output.mkdir()
                theirs.append(curl(address, ranges, output))
                ours.append(fetch(address, folder / f"day{number}", files))
            print(f"{files} files, {total / 1e6:.0f} MB wanted of them")
            for name, seconds in (("curl", min(theirs)), ("stormdraw", min(ours))):
                print(
                    f"{name:10} {seconds:6.2f} s {files / seconds:7.1f} files/s "
                    f"{total / 1e6 / seconds:7.1f} MB/s"
                )
            print(f"stormdraw / curl: {min(ours) / min(theirs):.2f}")
        finally:
            server.terminate()
            server.wait()


def fetch(address: str, folder: Path, files: int) -> float:
    """Seconds to fetch, verify and store the same messages."""
    end = (DAY + timedelta(hours=files - 3)).isoformat()
    last = DAY + timedelta(hours=files - 2)
    run = settings(
        periods={
            "training": {"start": DAY.isoformat(), "end": end},
            "test": {
                "start": last.isoformat(),
                "end": (last + timedelta(hours=1)).isoformat(),
            },
        },
        archive={"source": {"mirror": address}},
    )
    begun = time.perf_counter()
    fetch_day(run, "hrrr", "20260601", folder / "manifest.csv")
    seconds = time.perf_counter() - begun
    assert len(read_manifest(folder / "manifest.csv")) == files * len(STATE)
    return seconds


def serve(root: str) -> None:
    """In a process of its own, so that it does not share a thread's time with the client."""
    from archive_server import serving

    with serving(Path(root)) as archive:
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


def plan_a_year() -> None:
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
        print(f"a year of hours: {total.split()[1]} jobs planned in {seconds:.1f} s")


def main(files: int = 24, megabytes: float = 5.0) -> None:
    compare(files, megabytes)
    plan_a_year()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
    else:
        main(*(kind(text) for kind, text in zip((int, float), sys.argv[1:], strict=False)))
